import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { readInitialParameters } from "../../../coordinator/base-model/initial-parameters.ts";
import type { ClusterRun, OpenCluster } from "../../../coordinator/cluster/cluster.ts";
import { openEmbeddedCluster } from "../../../coordinator/cluster/embedded-cluster.ts";
import { openNatsCluster } from "../../../coordinator/cluster/nats-cluster.ts";
import { connectNatsBus } from "../../../shared/bus/nats/nats-bus.ts";
import type { NewItem } from "../../../shared/messages.ts";
import { openModel } from "../../../shared/model/open-model.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import { dialCoordinator } from "../../../worker/cli/dial-coordinator.ts";
import { startWorker } from "../../../worker/run/lifecycle.ts";
import { startNatsServer } from "../../nats-server.ts";

const engine = { engine: "auto", backend: "auto", threads: 1 } as const;
const tail = plainTail("TRAINABLE_HEAD", 2);
const golden = fileURLToPath(new URL("../../golden", import.meta.url));

/** A cluster over NATS and gRPC, with a worker that fetches everything from the coordinator. */
async function openOverNats(t: ExecutionContext, run: ClusterRun) {
	const server = await startNatsServer();
	t.teardown(() => server.stop());
	const cluster = await openNatsCluster({ nats: server.url }, run);
	const bus = await connectNatsBus({ servers: server.url, role: "worker" });
	t.teardown(() => bus.close());
	const worker = await startWorker({ bus, connect: dialCoordinator({}), engine, featureMemoryBytes: 1e6 });
	t.teardown(() => worker.stop());
	return cluster;
}

const ways: Record<string, (t: ExecutionContext, run: ClusterRun) => ReturnType<OpenCluster>> = {
	"in one process": (_, run) => openEmbeddedCluster({ startWorker }, run),
	"over NATS": openOverNats,
};

for (const [way, open] of Object.entries(ways)) {
	test(`${way}, a version of the parameters can be evaluated several times, and gives the same logits`, async (t) => {
		const model = await openModel(golden);
		const place = {
			runId: "run",
			model,
			modelHash: await model.hash(),
			tail,
			trunkPrecision: "fp32",
			shards: 2,
		} as const;
		const { dispatcher, tensors, close } = await open(t, {
			...place,
			engine: { ...engine, featureMemory: "auto", featureCache: 0 },
		});
		const items = [0, 1].map((shard): NewItem => {
			const sequences = [{ exampleId: shard, tokens: [3, 1, shard], poolFrom: 2, poolCount: 1, labels: [0] }];
			return { runId: "run", kind: "WORK_KIND_EVALUATE", shard, parameterVersion: 5, sequences };
		});
		const evaluate = async () => {
			const logits: number[] = [];
			for await (const answer of dispatcher.execute(items)) logits.push(...answer.logits);
			return logits;
		};
		const parameters = await readInitialParameters(model, tail, 1);
		await tensors.publishState("run", 5, { parameters });
		const first = await evaluate();
		t.is(first.length, 4);
		t.deepEqual(await evaluate(), first);
		await tensors.dropState("run", 5);
		await tensors.publishState("run", 5, { parameters });
		t.deepEqual(await evaluate(), first);
		t.deepEqual(dispatcher.ignored, { double: 0, stale: 0, stray: 0 });
		await close();
	});
}
