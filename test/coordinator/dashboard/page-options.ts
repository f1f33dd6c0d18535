import { openEmbeddedCluster } from "../../../coordinator/cluster/embedded-cluster.ts";
import type { PageOptions } from "../../../coordinator/dashboard/page-options.ts";
import { startWorker } from "../../../worker/run/lifecycle.ts";

/** Options of a page on a free port, whose worker computes in this thread. */
export function pageOptions(others: Partial<PageOptions> = {}): PageOptions {
	const place = { address: "127.0.0.1:0", flag: "--dashboard" };
	return { place, openCluster: (run) => openEmbeddedCluster({ startWorker }, run), ...others };
}
