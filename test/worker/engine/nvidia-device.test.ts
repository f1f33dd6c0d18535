import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { describeNvidiaDevice } from "../../../worker/engine/nvidia-device.ts";

/** Answers as a driver's program does on a host of two GPUs. */
const NVIDIA_SMI = `#!/bin/sh
case "$*" in
*--id=0*) echo "NVIDIA A10, 23028, 550.54.15" ;;
*--id=1*) echo "NVIDIA L4, 23034, 550.54.15" ;;
"") echo "| NVIDIA-SMI 550.54.15    Driver Version: 550.54.15    CUDA Version: 12.4     |" ;;
*) exit 6 ;;
esac
`;

test.serial("a GPU is described by name, memory, driver and CUDA, as its driver tells them", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-smi-"));
	await writeFile(join(folder, "nvidia-smi"), NVIDIA_SMI, { mode: 0o755 });
	process.env.PATH = `${folder}:${process.env.PATH}`;
	delete process.env.CUDA_VISIBLE_DEVICES;
	t.is(describeNvidiaDevice(), "NVIDIA A10, 22.5 GiB, driver 550.54.15, CUDA 12.4");
	process.env.CUDA_VISIBLE_DEVICES = "1";
	t.is(describeNvidiaDevice(), "NVIDIA L4, 22.5 GiB, driver 550.54.15, CUDA 12.4");
	process.env.CUDA_VISIBLE_DEVICES = "7";
	t.is(describeNvidiaDevice(), "GPU");
});
