/** How many signs of life (beats, "working" of an item in hand) a worker gives in the time in which one is due. */
export const SIGNS_PER_TIMEOUT = 3;

/** A worker that could not do its part of a run for a fault of its own tries again after so long, then after twice as long... */
export const FIRST_PAUSE_MS = 500;
export const LONGEST_PAUSE_MS = 30_000;
