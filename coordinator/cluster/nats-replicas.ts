/** NATS keeps no more copies of a stream. */
export const MOST_REPLICAS = 5;

/** Help of --nats-replicas. */
export const REPLICAS_HELP =
	"with --nats: servers that keep a copy of each stream (default: 3 in a NATS cluster of at least 3 servers, else 1)";
