import test from "ava";
import { workersLine } from "../../../coordinator/terminal/worker-lines.ts";
import { someWorker } from "../../shared/bus/messages.ts";

const some = { at: 0, totalShards: 3 };
const id = (host: string) => `${host}-71ed42d3-4788-4c22-955a-7c306a8cdccc`;

test("a worker that joins or leaves is shown with everybody's share of the shards, by a short name", (t) => {
	const worker = someWorker(id("east"));
	const both = { [id("east")]: [0, 2], west: [1] };
	t.is(
		workersLine({ event: "worker-joined", ...some, worker, shards: both }),
		"worker east-71ed42d3 joined: onnx cpu (1.0), 2 threads, cpu; shards: east-71ed42d3 2 of 3, west 1 of 3",
	);
	t.is(
		workersLine({ event: "worker-left", ...some, reason: "no-heartbeat", worker, shards: {} }),
		"worker east-71ed42d3 left (no heartbeat)",
	);
	t.is(
		workersLine({ event: "worker-suspended", ...some, reason: "idle", worker, shards: {} }),
		"worker east-71ed42d3 gets no work (takes no items)",
	);
});

test("a worker that joins is shown with its GPU's name and memory, and the versions of driver, CUDA and library", (t) => {
	const trunkEngine = "tfjs tensorflow";
	const version = "@tensorflow/tfjs-node-gpu 4.22.0, TensorFlow 2.21.0";
	const device = "NVIDIA L4, 22.5 GiB, driver 550.54.15, CUDA 12.4";
	const worker = { ...someWorker(id("east")), trunkEngine, version, device, threads: 1 };
	t.is(
		workersLine({ event: "worker-joined", ...some, worker, shards: {} }),
		`worker east-71ed42d3 joined: tfjs tensorflow (${version}), 1 thread, ${device}`,
	);
});
