import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { newFolder } from "./new-folder.ts";

/** Answers as a driver's program does on a host of two GPUs. */
const TWO_GPUS = `#!/bin/sh
case "$*" in
*--query-gpu=index,uuid*) echo "0, GPU-1f9a2b70"; echo "1, GPU-c4d5e6f8" ;;
*--id=0*) echo "NVIDIA A10, 23028, 550.54.15" ;;
*--id=1*) echo "NVIDIA L4, 23034, 550.54.15" ;;
"") echo "| NVIDIA-SMI 550.54.15    Driver Version: 550.54.15    CUDA Version: 12.4     |" ;;
*) exit 6 ;;
esac
`;

/** As if the driver isn't running. */
export const BROKEN = `#!/bin/sh
echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
exit 9
`;

/** Writes a program nvidia-smi. @returns a PATH on which it comes first */
export async function pathWithNvidiaSmi(script: string = TWO_GPUS): Promise<string> {
	const folder = await newFolder();
	await writeFile(join(folder, "nvidia-smi"), script, { mode: 0o755 });
	return `${folder}:${process.env.PATH}`;
}
