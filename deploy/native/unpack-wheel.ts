import { chmodSync, closeSync, createReadStream, mkdirSync, openSync, writeSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Unzip, type UnzipFile, UnzipInflate } from "fflate";
import { asDiskError } from "../../shared/files/write-atomic.ts";

/** Headers that the addon's sources include, all of them below these folders. */
const HEADERS =
	/^tensorflow\/(include\/(?:tensorflow\/c|tensorflow\/core\/platform|tsl\/platform|xla\/tsl\/c)\/.*\.h)$/;
const LIBTENSORFLOW = /^tensorflow\/(libtensorflow_(?:cc|framework)\.so\.2)$/;
const CUDA = /^nvidia\/(?:[\w-]+\/lib\/[^/]+\.so[^/]*|cuda_nvcc\/(?:bin\/ptxas|nvvm\/libdevice\/[^/]+))$/;

/**
 * Where a file of a wheel goes, below the target folder; undefined: nothing here needs it. nvidia/ lies beside lib/, since
 * the run path of libtensorflow is relative to where it lies itself.
 */
export function placeOf(name: string): string | undefined {
	const library = LIBTENSORFLOW.exec(name)?.[1];
	if (library !== undefined) return `lib/${library}`;
	return HEADERS.exec(name)?.[1] ?? CUDA.exec(name)?.[0];
}

/** Unpacks the files of a wheel that are needed into a folder. @param onBytes told how many bytes were read so far, of how many */
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

// Written in step with the reading: of a library of 790 MB no more than a chunk is ever in memory.
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
