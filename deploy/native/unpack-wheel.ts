import { chmodSync, closeSync, createReadStream, mkdirSync, openSync, writeSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Unzip, type UnzipFile, UnzipInflate } from "fflate";
import { asDiskError } from "../../shared/files/write-atomic.ts";

/** Headers that the addon's sources include. */
const HEADERS =
	/^tensorflow\/(include\/(?:tensorflow\/c|tensorflow\/core\/platform|tsl\/platform|xla\/tsl\/c)\/.*\.h)$/;
const LIBTENSORFLOW = /^tensorflow\/(libtensorflow_(?:cc|framework)\.so\.2)$/;
const CUDA = /^nvidia\/(?:[\w-]+\/lib\/[^/]+\.so[^/]*|cuda_nvcc\/(?:bin\/ptxas|nvvm\/libdevice\/[^/]+))$/;

/**
 * Returns the path for a file of a wheel, relative to the target folder, or undefined if the file isn't needed. nvidia/
 * is next to lib/, because the run path of libtensorflow is relative to its own folder.
 */
export function placeOf(name: string): string | undefined {
	const library = LIBTENSORFLOW.exec(name)?.[1];
	if (library !== undefined) return `lib/${library}`;
	return HEADERS.exec(name)?.[1] ?? CUDA.exec(name)?.[0];
}

/** Unpacks the needed files of a wheel into a folder. @param onBytes called with the bytes read so far and in total */
export async function unpackWheel(
	wheel: string,
	folder: string,
	onBytes: (done: number, total: number) => void,
): Promise<void> {
	const { size } = await stat(wheel);
	let done = 0;
	const unzip = new Unzip((entry) => {
		const place = placeOf(entry.name);
		if (place !== undefined) writeEntry(entry, join(folder, place));
	});
	unzip.register(UnzipInflate);
	for await (const chunk of createReadStream(wheel, { highWaterMark: 1 << 20 })) {
		unzip.push(chunk);
		done += chunk.length;
		onBytes(done, size);
	}
}

// Writes each chunk before the next one is read, so that a library of 790 MB is never in memory as a whole.
function writeEntry(entry: UnzipFile, path: string): void {
	try {
		mkdirSync(dirname(path), { recursive: true });
		const file = openSync(path, "w");
		entry.ondata = (error, data, isLast) => {
			if (error) throw error;
			writeSync(file, data);
			if (!isLast) return;
			closeSync(file);
			if (path.endsWith("/ptxas")) chmodSync(path, 0o755);
		};
		entry.start();
	} catch (error) {
		throw asDiskError(path, error);
	}
}
