import { totalmem } from "node:os";
import test from "ava";
import { completeConfig, flagOf } from "../../../shared/settings/resolve-config.ts";
import { sharedWorkerFlags } from "../../../shared/settings/worker-flags.ts";

test("workers of one machine get every setting of the run; its memory is divided among them", (t) => {
	const given = { engine: "onnx", threads: 3, featureMemory: "1GiB", featureCache: "512MiB" };
	t.deepEqual(sharedWorkerFlags(completeConfig(given, flagOf), 2), [
		...["--engine", "onnx", "--backend", "auto", "--threads", "3"],
		...["--feature-memory", "536870912", "--feature-cache", "512MiB"],
	]);
});

test("a cache of 0 bytes is passed on, and one that isn't set keeps the worker's default", (t) => {
	const flagsOf = (given: object) => sharedWorkerFlags(completeConfig({ threads: 1, ...given }, flagOf), 4);
	const memory = String(Math.floor(totalmem() / 16));
	t.deepEqual(flagsOf({}).slice(-4), ["--threads", "1", "--feature-memory", memory]);
	t.deepEqual(flagsOf({ featureCache: 0 }).slice(-2), ["--feature-cache", "0"]);
});
