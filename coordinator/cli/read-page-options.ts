import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import { openEmbeddedCluster } from "../cluster/embedded-cluster.ts";
import { type PageOptions, readPageSecurity } from "../dashboard/page-options.ts";
import type { ListenPlace } from "../rpc/listen-error.ts";

/**
 * Returns the options of a page. Texts are classified in a separate thread, so that the page is answered meanwhile.
 * @throws TailtuneError as `readPageSecurity`
 */
export async function readPageOptions(place: ListenPlace | undefined, workerSide: WorkerSide): Promise<PageOptions> {
	const security = await readPageSecurity();
	return { place, security, openCluster: (run) => openEmbeddedCluster(workerSide, run, "thread") };
}
