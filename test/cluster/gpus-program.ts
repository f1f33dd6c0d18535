// `tailtune worker --gpus all` without --require-gpu, for gpus.test.ts on machines without a GPU. Argument: a NATS URL.
import { createInterruptSignal } from "../../shared/processes/interrupt.ts";
import { serveOnGpus } from "../../worker/cli/gpu-workers.ts";
import { findNvidiaGpus } from "../../worker/engine/nvidia-gpus.ts";

await serveOnGpus({
	gpus: findNvidiaGpus("all"),
	args: ["--nats", process.argv[2] ?? "", "--threads", "1"],
	env: process.env,
	end: createInterruptSignal(),
	onLine: (line) => process.stdout.write(`${line}\n`),
});
