//! Schedules: what makes a machine run `hardpan patch` day and night, ready to commit.

/// What runs schedules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// A workflow of GitHub Actions
    Github,
    /// A pipeline of GitLab
    Gitlab,
    /// A `CronJob` of Kubernetes
    Kubernetes,
    /// A service and a timer of systemd
    Systemd,
}

/// The schedule of a command, `hardpan patch …`, as the file that runs it.
pub fn schedule(kind: Schedule, command: &str) -> String {
    let template = match kind {
        Schedule::Github => GITHUB,
        Schedule::Gitlab => GITLAB,
        Schedule::Kubernetes => KUBERNETES,
        Schedule::Systemd => SYSTEMD,
    };
    template.replace("@COMMAND@", command)
}

// Two runs at once are harmless, but one of them is in vain; so each kind is told not to start a second one. Exit code 6
// means that some images were kept back: the run did what it could, and somebody has to look.

const GITHUB: &str = r#"# .github/workflows/patch.yml: patch rebuilds of the catalog, every hour.
name: patch
on:
  schedule:
    - cron: "17 * * * *"
  workflow_dispatch:
concurrency:
  group: hardpan-patch
  cancel-in-progress: false
permissions:
  contents: write   # the locks that moved are committed
  packages: write   # images are published
  id-token: write   # for `--signer keyless`
jobs:
  patch:
    runs-on: ubuntu-latest
    timeout-minutes: 120
    steps:
      - uses: actions/checkout@v4
      - uses: actions/cache@v4
        with:
          path: ~/.cache/hardpan
          key: hardpan-${{ github.run_id }}
          restore-keys: hardpan-
      - name: Patch
        id: patch
        run: @COMMAND@
        env:
          # The ledger outlives the machine: a database of yours, or a file that is kept.
          HARDPAN_LEDGER: ${{ secrets.HARDPAN_LEDGER }}
      # Also where some images were kept back: what was published has its lock.
      - name: Commit what moved
        if: always()
        run: |
          git config user.name hardpan
          git config user.email hardpan@localhost
          git add '*.lock'
          git diff --cached --quiet || { git commit -m "Patch rebuilds" && git push; }
"#;

const GITLAB: &str = r#"# .gitlab-ci.yml: patch rebuilds of the catalog. Add a pipeline schedule (Build > Pipeline schedules) of every hour.
patch:
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule"
  # One run at a time.
  resource_group: hardpan-patch
  timeout: 2 hours
  variables:
    XDG_CACHE_HOME: $CI_PROJECT_DIR/.cache
    # Set HARDPAN_LEDGER and HARDPAN_KEY_PASSWORD as protected variables of the project.
  cache:
    key: hardpan
    path: &cache .cache/hardpan
    paths: [*cache]
    when: always
  script:
    - @COMMAND@
  # Also where some images were kept back: what was published has its lock.
  after_script:
    - git config user.name hardpan
    - git config user.email hardpan@localhost
    - git add '*.lock'
    - git diff --cached --quiet || { git commit -m "Patch rebuilds" && git push "https://hardpan:${PATCH_TOKEN}@${CI_SERVER_HOST}/${CI_PROJECT_PATH}.git" "HEAD:${CI_COMMIT_BRANCH}"; }
"#;

const KUBERNETES: &str = r#"# Patch rebuilds of the catalog, every hour. The claim `hardpan` holds the recipes (below /srv/images), the store and the ledger.
apiVersion: batch/v1
kind: CronJob
metadata:
  name: hardpan-patch
spec:
  schedule: "17 * * * *"
  # One run at a time; one that was missed is made up for once.
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 1800
  jobTemplate:
    spec:
      # What failed is tried again by the next run, which finishes what this one began.
      backoffLimit: 0
      activeDeadlineSeconds: 7200
      template:
        spec:
          restartPolicy: Never
          automountServiceAccountToken: false
          containers:
            - name: patch
              image: hardpan:latest # yours, by digest
              workingDir: /srv/images
              command: ["/bin/sh", "-c"]
              args: ["exec @COMMAND@"]
              env:
                - name: XDG_CACHE_HOME
                  value: /srv/images/.cache
                - name: HARDPAN_KEY_PASSWORD
                  valueFrom:
                    secretKeyRef: { name: hardpan, key: key-password, optional: true }
              volumeMounts:
                - { name: work, mountPath: /srv/images }
          volumes:
            - name: work
              persistentVolumeClaim: { claimName: hardpan }
"#;

const SYSTEMD: &str = r"# /etc/systemd/system/hardpan-patch.service
[Unit]
Description=Patch rebuilds of the image catalog
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
# The folder that the recipes are in.
WorkingDirectory=/srv/images
ExecStart=@COMMAND@
User=hardpan
TimeoutStartSec=2h
# HARDPAN_LEDGER, HARDPAN_KEY and the like; readable by root alone.
EnvironmentFile=-/etc/hardpan/patch.env

# /etc/systemd/system/hardpan-patch.timer
[Unit]
Description=Patch rebuilds of the image catalog, every hour

[Timer]
OnCalendar=hourly
RandomizedDelaySec=10min
# A run that was missed while the machine was off is made up for.
Persistent=true

[Install]
WantedBy=timers.target
";
