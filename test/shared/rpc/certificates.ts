import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";

/** Name and keys of a certificate authority. */
interface Authority {
	readonly name: string;
	readonly key: KeyObject;
	readonly pem: string;
}

/** PEM files of a certificate authority and of a certificate for localhost signed by it. */
export interface CertificateFiles {
	readonly caFile: string;
	readonly certFile: string;
	readonly keyFile: string;
}

/** Makes a certificate authority and a certificate. The files are removed after the test. */
export async function makeCertificates(t: ExecutionContext, name = "localhost"): Promise<CertificateFiles> {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-tls-"));
	t.teardown(() => rm(folder, { recursive: true, force: true }));
	const authority = certify("Test authority", undefined);
	const own = certify(name, authority);
	const save = async (file: string, content: string) => {
		await writeFile(join(folder, file), content, { mode: 0o600 });
		return join(folder, file);
	};
	return {
		caFile: await save("ca.pem", authority.pem),
		certFile: await save("cert.pem", own.pem),
		keyFile: await save("key.pem", own.key.export({ type: "pkcs8", format: "pem" }).toString()),
	};
}

// X.509 version 3 (RFC 5280, section 4.1) with a P-256 key, signed with ECDSA and SHA-256. No issuer: a CA certificate.
function certify(name: string, issuer: Authority | undefined): Authority {
	const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	const algorithm = sequence(oid("2a8648ce3d040302"));
	const extension = issuer
		? sequence(oid("551d11"), der(0x04, sequence(der(0x82, Buffer.from(name)), der(0x87, Buffer.from([127, 0, 0, 1])))))
		: sequence(oid("551d13"), der(0x01, Buffer.from([0xff])), der(0x04, sequence(der(0x01, Buffer.from([0xff])))));
	const content = sequence(
		der(0xa0, der(0x02, Buffer.from([2]))),
		der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
		algorithm,
		distinguishedName(issuer?.name ?? name),
		sequence(der(0x17, Buffer.from("200101000000Z")), der(0x18, Buffer.from("21200101000000Z"))),
		distinguishedName(name),
		publicKey.export({ type: "spki", format: "der" }),
		der(0xa3, sequence(extension)),
	);
	const signature = sign("sha256", content, issuer?.key ?? privateKey);
	const bytes = sequence(content, algorithm, der(0x03, Buffer.from([0]), signature));
	const lines = bytes.toString("base64").replaceAll(/.{64}/g, "$&\n");
	return { name, key: privateKey, pem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n` };
}

function der(tag: number, ...parts: Buffer[]): Buffer {
	const content = Buffer.concat(parts);
	const { length } = content;
	// The shortest form, which some readers require.
	const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
	const head = length < 128 ? [tag, length] : [tag, ...long];
	return Buffer.concat([Buffer.from(head), content]);
}

function sequence(...parts: Buffer[]): Buffer {
	return der(0x30, ...parts);
}

function oid(hex: string): Buffer {
	return der(0x06, Buffer.from(hex, "hex"));
}

function distinguishedName(name: string): Buffer {
	return sequence(der(0x31, sequence(oid("550403"), der(0x0c, Buffer.from(name)))));
}
