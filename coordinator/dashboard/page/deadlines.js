// The times of the page, in milliseconds.
/** First pause before a page connects again. */
export const RECONNECT_FIRST_MS = 500;
/** The pause is doubled each time, up to this one. */
export const RECONNECT_LONGEST_MS = 8_000;
/** How often a page reads the runs of a folder or a cluster, or a sweep. */
export const POLL_MS = 1_000;
