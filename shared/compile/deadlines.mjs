// The times of starting the program, in milliseconds: plain JavaScript, because they are needed before TypeScript can
// be loaded.

/** A compiled program that was used within this time is kept: it may be running. */
export const MAY_RUN_MS = 60 * 60_000;
/** Shortest time between two marks that a compiled program is used: each costs a write. */
export const USE_EVERY_MS = 10 * 60_000;
