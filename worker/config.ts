/** How many signs of life (beats, "working" of an item in hand) a worker gives in the time in which one is due. */
export const SIGNS_PER_TIMEOUT = 3;
