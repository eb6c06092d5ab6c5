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

/// What is to be run, day and night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// `hardpan`, `patch`, and what follows: words that need no quotes anywhere.
    pub words: Vec<String>,
    /// The folder of the recipes, which has their locks.
    pub folder: String,
    /// The registry that images go to, if they do.
    pub registry: Option<String>,
}

/// The file that runs a command.
pub fn schedule(kind: Schedule, scheduled: &Scheduled) -> String {
    let template = match kind {
        Schedule::Github => GITHUB,
        Schedule::Gitlab => GITLAB,
        Schedule::Kubernetes => KUBERNETES,
        Schedule::Systemd => SYSTEMD,
    };
    let words: Vec<String> = scheduled.words.iter().map(|word| format!("\"{word}\"")).collect();
    let login = match &scheduled.registry {
        Some(registry) => LOGIN.replace("@REGISTRY@", registry),
        None => String::new(),
    };
    template
        .replace("@LOGIN@", &login)
        .replace("@COMMAND@", &scheduled.words.join(" "))
        .replace("@WORDS@", &words.join(", "))
        .replace("@LOCKS@", &format!("{}/*.lock", scheduled.folder.trim_end_matches('/')))
}

/// The step that makes a registry known.
const LOGIN: &str = r#"      - name: Log in
        run: docker login @REGISTRY@ --username "${{ github.actor }}" --password-stdin <<< "${{ secrets.REGISTRY_TOKEN || secrets.GITHUB_TOKEN }}"
"#;

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
      # Variables of the repository: where hardpan's source is, and its version.
      - name: Install
        run: cargo install --locked --git "${{ vars.HARDPAN_SOURCE }}" --tag "${{ vars.HARDPAN_VERSION }}" hardpan
@LOGIN@      - name: Patch
        run: @COMMAND@
        env:
          # The ledger outlives the machine: a database of yours.
          HARDPAN_LEDGER: ${{ secrets.HARDPAN_LEDGER }}
          # Who signs, where the command does not say it: `keyless`, or `exec:…`; and the password of a key file.
          HARDPAN_SIGNER: ${{ vars.HARDPAN_SIGNER }}
          HARDPAN_KEY_PASSWORD: ${{ secrets.HARDPAN_KEY_PASSWORD }}
      # Also where some images were kept back: what was published has its lock.
      - name: Commit what moved
        if: always()
        run: |
          git config user.name hardpan
          git config user.email hardpan@localhost
          git add -- @LOCKS@
          git diff --cached --quiet || { git commit -m "Patch rebuilds" && git push; }
"#;

const GITLAB: &str = r#"# .gitlab-ci.yml: patch rebuilds of the catalog. Add a pipeline schedule (Build > Pipeline schedules) of every hour.
patch:
  image: hardpan:latest # yours, by digest; with git
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule"
  # One run at a time.
  resource_group: hardpan-patch
  timeout: 2 hours
  variables:
    XDG_CACHE_HOME: $CI_PROJECT_DIR/.cache
    # Protected variables of the project: HARDPAN_LEDGER (a database of yours), HARDPAN_KEY or HARDPAN_SIGNER with
    # HARDPAN_KEY_PASSWORD, DOCKER_CONFIG or DOCKER_AUTH_CONFIG for the registry, and PATCH_TOKEN, which may push.
  cache:
    key: hardpan
    paths:
      - .cache/hardpan
    when: always
  script:
    - @COMMAND@
  # Also where some images were kept back: what was published has its lock.
  after_script:
    - git config user.name hardpan
    - git config user.email hardpan@localhost
    - git add -- @LOCKS@
    - git diff --cached --quiet || { git commit -m "Patch rebuilds" && git push "https://hardpan:${PATCH_TOKEN}@${CI_SERVER_HOST}/${CI_PROJECT_PATH}.git" "HEAD:${CI_COMMIT_BRANCH}"; }
"#;

const KUBERNETES: &str = r#"# Patch rebuilds of the catalog, every hour. The claim `hardpan` holds the recipes with their locks (below /srv/images), the store and the
# ledger. It is a disk of one machine: on a network file system the ledger must be a database (HARDPAN_LEDGER).
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
              # The images' tests run in containers: give this one what runc needs, or say `--no-test`.
              command: [@WORDS@]
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
