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
