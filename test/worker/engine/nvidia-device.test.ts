import test from "ava";
import { describeNvidiaDevice } from "../../../worker/engine/nvidia-device.ts";
import { findNvidiaGpus } from "../../../worker/engine/nvidia-gpus.ts";
import { BROKEN, pathWithNvidiaSmi } from "../../nvidia-smi.ts";

const { PATH } = process.env;

test.beforeEach(async () => {
	process.env.PATH = await pathWithNvidiaSmi();
	delete process.env.CUDA_VISIBLE_DEVICES;
});

test.serial("a GPU is described by name, memory, driver and CUDA versions from nvidia-smi", (t) => {
	t.is(describeNvidiaDevice(), "NVIDIA A10, 22.5 GiB, driver 550.54.15, CUDA 12.4");
	process.env.CUDA_VISIBLE_DEVICES = "1";
	t.is(describeNvidiaDevice(), "NVIDIA L4, 22.5 GiB, driver 550.54.15, CUDA 12.4");
	process.env.CUDA_VISIBLE_DEVICES = "7";
	t.is(describeNvidiaDevice(), "GPU");
});

const TWO = [
	{ index: 0, uuid: "GPU-1f9a2b70" },
	{ index: 1, uuid: "GPU-c4d5e6f8" },
];

test.serial("all or some of the GPUs that CUDA_VISIBLE_DEVICES allows are found", (t) => {
	t.deepEqual(findNvidiaGpus("all"), TWO);
	t.deepEqual(findNvidiaGpus("1, 0"), TWO.toReversed());
	for (const visible of ["1", "GPU-c4", " 1 ,9"]) {
		t.deepEqual(findNvidiaGpus("all", { CUDA_VISIBLE_DEVICES: visible }), TWO.slice(1));
	}
});

test.serial("GPUs that don't exist or aren't allowed are refused, and the error lists the others", (t) => {
	const refused = (which: string, visible?: string) => {
		const env = visible === undefined ? {} : { CUDA_VISIBLE_DEVICES: visible };
		return t.throws(() => findNvidiaGpus(which, env), { name: "TailtuneError" }).message;
	};
	t.is(refused("2"), '--gpus: found "2", expected all or some of these GPUs: 0,1');
	t.is(refused("0,0"), '--gpus: found "0,0", expected all or some of these GPUs: 0,1');
	t.is(refused(""), '--gpus: found "", expected all or some of these GPUs: 0,1');
	t.is(refused("0", "1"), '--gpus: found "0", expected all or some of these GPUs: 1 (limited by CUDA_VISIBLE_DEVICES)');
	t.is(
		refused("all", ""),
		'--gpus: found "all", expected all or some of these GPUs: none (limited by CUDA_VISIBLE_DEVICES)',
	);
});

test.serial("a driver that fails or is missing is an error of one line", async (t) => {
	process.env.PATH = await pathWithNvidiaSmi(BROKEN);
	t.throws(() => findNvidiaGpus("all"), {
		message: /^--gpus: nvidia-smi: NVIDIA-SMI has failed because .* NVIDIA driver\., expected a list of GPUs$/,
	});
	process.env.PATH = "/nowhere";
	t.throws(() => findNvidiaGpus("all"), {
		code: "not-found",
		message: "--gpus: found no nvidia-smi, expected it in PATH: it is part of NVIDIA's driver",
	});
	process.env.PATH = PATH;
});
