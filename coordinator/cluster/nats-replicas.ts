/** The most copies of a stream that NATS allows. */
export const MOST_REPLICAS = 5;

/** Help text of --nats-replicas. */
export const REPLICAS_HELP =
	"with --nats: copies of each stream (default: 3 in a NATS cluster of at least 3 servers, otherwise 1)";
