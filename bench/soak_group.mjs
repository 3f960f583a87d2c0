// Whole sites under kills and bad versions, which `./dev soak` runs for as long as one likes.
export const coredinatorGroup = {
  name: "soak-coredinator",
  title: "Soak of coredinator",
  command: "./dev soak coredinator",
  note: "A site at 10 Hz. Crashes: each role is killed when it ran for half a minute, as a first crash is; from SIGKILL until another " +
    "process answers that it is healthy, io with its encrypted connection to the plant. Switches: two versions take turns while four callers call the agent through coredinator. Bad versions: each " +
    "kind in turn; its deadline is the moment of the crash, a second after it hung, or the proposal from which it is judged (for one that " +
    "refuses to start, the deployment itself). Kills: a version is deployed and coredinator, or the keeper with all its roles, is " +
    "killed with SIGKILL within a millisecond of each step of its life being on disk; the keeper is started again as systemd would.",
};

export const telemetryGroup = {
  name: "soak-telemetry",
  title: "Soak of the telemetry role",
  command: "./dev soak telemetry",
  note: "Kills: the role under load from four senders, each of which asks again what it had no answer to, killed with SIGKILL at a random " +
    "moment, one time in five while it starts; then everything on disk is read. A day: 1,000 records a second by a simulated clock, " +
    "kept while nobody takes them; then the role sends them as a gateway's batches while entries go on coming. Schedules: the crash model of " +
    "the buffer on a simulated disk (src/telemetry/crash_model_test.cpp).",
};

export const keysGroup = {
  name: "soak-keys",
  title: "Soak of the keys that sign tokens",
  command: "./dev soak keys",
  note: "32 callers of the gateway, together at half of what it could answer before, each call with a token signed by any of the keys so far, " +
    "while the keys are rotated twice a second: every token is good, so every 401 would be wrong.",
};

export const liveGroup = {
  name: "soak-live",
  title: "Soak of live values",
  command: "./dev soak live",
  note: "The gateway, and a program in the place of io that gives 500 tags another value ten times a second. 200 clients watch all of them over " +
    "WebSockets with TLS, 20 of which read nothing. Everything shares the two cores; the first two seconds do not count. " +
    "A thread that only sleeps tells how long the machine itself kept what was due from running: a virtual machine that stands still makes every value as old.",
};

export const soakGroup = {
  name: "soak",
  title: "Soak",
  command: "./dev soak",
  note: "Half of the time a live site at 10 Hz: first with its agent, learner, io and twin killed at random, then left alone " +
    "while memory, descriptors and files are watched. Then whole seasons in lockstep with a process killed in each: " +
    "whichever it was, the season must return what the undisturbed one returns. Last a random policy against the guard, " +
    "judged by a checker that shares no code with it. io's two further descriptors are SQLite's: while a file is locked it keeps " +
    "what another connection to it closed, and uses it for the next one; its memory grows as fast as its decision file until SQLite's cache of 2 MB a file is full. " +
    "Minutes show no slow leak.",
};
