"""Makes Tests/ImagePipelineTests/Fixtures: tiny image files of every kind, and what Pillow makes of them.

    python Tools/parity/make_images.py

Needs Pillow 11, numpy and libturbojpeg (for one YCCK file). The output is the same on every run with the same
versions; README.md and manifest.json beside the fixtures name them.
"""
import ctypes.util
import hashlib
import io
import json
import math
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageOps, features

OUT = Path(__file__).resolve().parents[2] / "Tests" / "ImagePipelineTests" / "Fixtures"
WIDTH, HEIGHT = 21, 13
rng = np.random.default_rng(20260101)
files = {}


def image(channels, width=WIDTH, height=HEIGHT, bits=8):
    """A smooth image with some noise, so that every filter and transform has something to do."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [
        0.5 + 0.4 * np.sin(x / (2.5 + c) + c) * np.cos(y / (3 + c)) + 0.15 * rng.standard_normal((height, width))
        for c in range(channels)
    ]
    top = (1 << bits) - 1
    return np.clip(np.stack(planes, -1) * top, 0, top).astype(np.uint16 if bits > 8 else np.uint8)


def pnm(image):
    kind = b"P5" if image.mode == "L" else b"P6"
    return kind + b"\n%d %d\n255\n" % image.size + image.tobytes()


def add(name, data):
    """Adds an image file with Pillow's own reading of it, in colour and in grey."""
    files[name] = data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(io.BytesIO(data))
        image.load()
        if image.mode.startswith("I;16"):
            # Pillow's convert() clips 16-bit grey at 255, which leaves a white image; ours takes the high byte.
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        files[name + ".ppm"] = pnm(image.convert("RGB"))
        files[name + ".pgm"] = pnm(image.convert("L"))


def saved(array, kind, mode=None, **options):
    image = array
    if not isinstance(array, Image.Image):
        height, width, channels = array.shape
        mode = mode or {1: "L", 3: "RGB"}[channels]
        image = Image.frombytes(mode, (width, height), array.tobytes())
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


# --- JPEG


def turbo(array, subsampling, pixel_format):
    """What Pillow cannot write but TurboJPEG does: CMYK as YCCK, and the rarer kinds of subsampling."""
    lib = ctypes.CDLL(ctypes.util.find_library("turbojpeg"))
    lib.tjInitCompress.restype = ctypes.c_void_p
    buffer, size = ctypes.POINTER(ctypes.c_ubyte)(), ctypes.c_ulong(0)
    height, width, _ = array.shape
    status = lib.tjCompress2(
        ctypes.c_void_p(lib.tjInitCompress()), array.tobytes(), width, 0, height, pixel_format,
        ctypes.byref(buffer), ctypes.byref(size), subsampling, 80, 0)
    assert status == 0
    return ctypes.string_at(buffer, size.value)


def make_jpeg():
    rgb = image(3)
    for name in ("4:4:4", "4:2:2", "4:2:0"):
        add(f"jpeg-{name.replace(':', '')}.jpg", saved(rgb, "JPEG", quality=85, subsampling=name))
    base = saved(rgb, "JPEG", quality=85, subsampling="4:4:4")
    add("jpeg-440.jpg", turbo(rgb, 4, 0))
    add("jpeg-411.jpg", turbo(rgb, 5, 0))
    add("jpeg-progressive.jpg", saved(rgb, "JPEG", quality=90, progressive=True))
    add("jpeg-grey.jpg", saved(image(1), "JPEG", quality=85))
    add("jpeg-grey-progressive.jpg", saved(image(1), "JPEG", quality=60, progressive=True))
    add("jpeg-cmyk.jpg", saved(image(4), "JPEG", mode="CMYK", quality=90))
    add("jpeg-ycck.jpg", turbo(image(4), 0, 11))
    add("jpeg-rgb.jpg", saved(rgb, "JPEG", quality=90, keep_rgb=True))
    add("jpeg-restart.jpg", saved(rgb, "JPEG", quality=80, restart_marker_rows=1))
    add("jpeg-low-quality.jpg", saved(rgb, "JPEG", quality=3))
    add("jpeg-one-pixel.jpg", saved(image(3, 1, 1), "JPEG"))
    add("jpeg-one-row.jpg", saved(image(3, 19, 1), "JPEG"))
    add("jpeg-one-column.jpg", saved(image(3, 1, 19), "JPEG"))
    exif = Image.Exif()
    exif[0x0112] = 6
    add("jpeg-orientation-6.jpg", saved(rgb, "JPEG", quality=85, exif=exif))
    # Stray bytes before the end marker: libjpeg warns, Pillow reads the image.
    add("jpeg-stray-bytes.jpg", base[:-2] + b"\x12\x34\x56" + base[-2:])
    add("jpeg-trailing-garbage.jpg", base + b"not a part of the image")


# --- PNG


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(rows, bits):
    """Samples [height, width * channels] as PNG stores them: big-endian, or several in a byte."""
    if bits == 16:
        return [row.astype(">u2").tobytes() for row in rows]
    if bits == 8:
        return [row.astype(np.uint8).tobytes() for row in rows]
    return [np.packbits(np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, -bits:].ravel()).tobytes()
            for row in rows]


ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def png(array, bits, kind, extra=b"", interlaced=False):
    height, width, _ = array.shape
    parts = [array[y::dy, x::dx] for y, x, dy, dx in ADAM7] if interlaced else [array]
    raw = b"".join(
        b"\0" + row for part in parts if part.size for row in packed(part.reshape(part.shape[0], -1), bits))
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw, 9))
            + chunk(b"IEND", b""))


def make_png():
    for bits in (1, 2, 4, 8):
        add(f"png-grey-{bits}.png", png(image(1, bits=bits), bits, 0))
        indices = rng.integers(0, 1 << bits, (HEIGHT, WIDTH, 1))
        palette = chunk(b"PLTE", rng.integers(0, 256, 3 << bits, dtype=np.uint8).tobytes())
        add(f"png-palette-{bits}.png", png(indices, bits, 3, palette))
        add(f"png-palette-{bits}-interlaced.png", png(indices, bits, 3, palette, interlaced=True))
    alpha = chunk(b"tRNS", bytes([0, 128, 200]))
    palette = chunk(b"PLTE", rng.integers(0, 256, 48, dtype=np.uint8).tobytes())
    add("png-palette-alpha.png", png(rng.integers(0, 16, (HEIGHT, WIDTH, 1)), 4, 3, palette + alpha))
    add("png-palette-short.png", png(rng.integers(0, 40, (HEIGHT, WIDTH, 1)), 8, 3, palette))
    wide = image(1, bits=16)
    wide[::2] //= 256  # small values too, because Pillow clips and does not scale
    add("png-grey-16.png", png(wide, 16, 0))
    add("png-grey-16-interlaced.png", png(wide, 16, 0, interlaced=True))
    add("png-grey-16-key.png", png(wide, 16, 0, chunk(b"tRNS", struct.pack(">H", int(wide[0, 0, 0])))))
    add("png-rgb-8.png", png(image(3), 8, 2))
    add("png-rgb-8-interlaced.png", png(image(3), 8, 2, interlaced=True))
    add("png-rgb-16.png", png(image(3, bits=16), 16, 2))
    key = image(3)
    add("png-rgb-8-key.png", png(key, 8, 2, chunk(b"tRNS", key[2, 2].astype(">u2").tobytes())))
    add("png-grey-8-key.png", png(key[..., :1], 8, 0, chunk(b"tRNS", key[2, 2, :1].astype(">u2").tobytes())))
    for bits in (8, 16):
        add(f"png-grey-alpha-{bits}.png", png(image(2, bits=bits), bits, 4))
        add(f"png-rgba-{bits}.png", png(image(4, bits=bits), bits, 6))
    add("png-rgba-16-interlaced.png", png(image(4, bits=16), 16, 6, interlaced=True))
    add("png-gamma.png", png(image(3), 8, 2, chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"sRGB", b"\0")))
    add("png-one-pixel.png", png(image(1, 1, 1), 8, 0))
    add("png-filters.png", saved(image(3), "PNG"))
    frames = [Image.fromarray(image(3)) for _ in range(2)]
    add("png-animated.png", saved(frames[0], "PNG", save_all=True, append_images=frames[1:]))


# --- WebP


def make_webp():
    add("webp-lossy.webp", saved(image(3), "WEBP", quality=80))
    add("webp-lossless.webp", saved(image(3), "WEBP", lossless=True))
    add("webp-lossy-alpha.webp", saved(image(4), "WEBP", mode="RGBA", quality=70))
    add("webp-lossless-alpha.webp", saved(image(4), "WEBP", mode="RGBA", lossless=True, exact=True))
    add("webp-one-pixel.webp", saved(image(3, 1, 1), "WEBP"))
    exif = Image.Exif()
    exif[0x0112] = 3
    add("webp-exif.webp", saved(image(3), "WEBP", quality=90, exif=exif))
    frames = [Image.frombytes("RGBA", (WIDTH, HEIGHT), image(4).tobytes()) for _ in range(3)]
    add("webp-animated.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))


# --- EXIF's orientation


def tiff(order, tags):
    """A TIFF directory: tags are (tag, type, value), type 3 a short and 4 a long."""
    sign = "<" if order == b"II" else ">"
    body = b"".join(
        struct.pack(sign + "HHI", tag, kind, 1) + struct.pack(sign + ("HH" if kind == 3 else "I"), *value)
        for tag, kind, value in tags)
    return order + struct.pack(sign + "HIH", 42, 8, len(tags)) + body + bytes(4)


def webp_with(exif):
    """A lossless file with a chunk of EXIF data as it is, where Pillow would put a prefix or change it."""
    small = saved(turned_image(), "WEBP", lossless=True)[12:]
    canvas = struct.pack("<I", TURNED[0] - 1)[:3] + struct.pack("<I", TURNED[1] - 1)[:3]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes([8, 0, 0, 0]) + canvas + small
    body += b"EXIF" + struct.pack("<I", len(exif)) + exif + bytes(len(exif) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


TURNED = (7, 5)


def turned_image():
    index = np.arange(TURNED[0] * TURNED[1] * 3, dtype=np.uint32)
    return ((index * 2654435761) >> 13).astype(np.uint8).reshape(TURNED[1], TURNED[0], 3)


def make_orientations():
    """Files with an orientation, and Pillow's exif_transpose of them."""
    array, names = turned_image(), []

    def add_turned(name, data):
        files[name] = data
        image = Image.open(io.BytesIO(data))
        files[name + ".turned.ppm"] = pnm(ImageOps.exif_transpose(image).convert("RGB"))
        names.append(name)

    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for kind, ending, options in (("JPEG", "jpg", {"subsampling": "4:4:4"}), ("PNG", "png", {}),
                                      ("WEBP", "webp", {"lossless": True})):
            add_turned(f"turned-{orientation}.{ending}", saved(array, kind, exif=exif, **options))
    one = (0x0100, 4, (7,))  # another tag before, the width
    for name, data in (
        ("short-little", tiff(b"II", [one, (0x0112, 3, (6, 0))])),
        ("long-little", tiff(b"II", [(0x0112, 4, (6,))])),
        ("long-big", tiff(b"MM", [one, (0x0112, 4, (8,))])),
        ("nine", tiff(b"MM", [(0x0112, 3, (9, 0))])),
        ("none", tiff(b"MM", [one])),
    ):
        add_turned(f"turned-{name}.webp", webp_with(data))
        plain = saved(array, "PNG")
        # Before IDAT, and after it, where the format allows it too.
        add_turned(f"turned-{name}.png", plain[:33] + chunk(b"eXIf", data) + plain[33:])
        add_turned(f"turned-{name}-late.png", plain[:-12] + chunk(b"eXIf", data) + plain[-12:])
    return names


# --- Resize, crop and normalisation

FILTERS = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}


def make_resize():
    """Source images and what Pillow makes of them, with an index that the test goes through."""
    cases = []
    sources = {"resize-colour": Image.fromarray(image(3, 37, 29)), "resize-grey": Image.fromarray(image(1, 37, 29)[..., 0])}
    for name, image in sources.items():
        suffix = ".ppm" if image.mode == "RGB" else ".pgm"
        files[name + suffix] = pnm(image)
        for kind, resample in FILTERS.items():
            for height, width in ((16, 16), (50, 61), (29, 20), (11, 37), (7, 90), (1, 1), (3, 2)):
                if name == "resize-grey" and (height, width) not in ((16, 16), (50, 61)):
                    continue
                target = f"{name}-{kind}-{height}x{width}{suffix}"
                files[target] = pnm(image.resize((width, height), resample))
                cases.append({"source": name + suffix, "expected": target, "interpolation": kind,
                              "height": height, "width": width})
    return cases


def center_crop(image, size):
    """torchvision's CenterCrop on a Pillow image."""
    crop_height, crop_width = size
    width, height = image.size
    left, top = max(0, (crop_width - width) // 2), max(0, (crop_height - height) // 2)
    right, bottom = max(0, (crop_width - width + 1) // 2), max(0, (crop_height - height + 1) // 2)
    if left or top or right or bottom:
        padded = Image.new(image.mode, (width + left + right, height + top + bottom), 0)
        padded.paste(image, (left, top))
        image = padded
        width, height = image.size
    top, left = int(round((height - crop_height) / 2.0)), int(round((width - crop_width) / 2.0))
    return image.crop((left, top, left + crop_width, top + crop_height))


def make_processor():
    """Resize to the shorter side, then crop, as torchvision does it; one case with its floats."""
    cases = []
    for width, height, side, crop in ((37, 29, 16, (14, 14)), (29, 37, 16, (14, 14)), (37, 29, 23, (20, 17)),
                                      (21, 13, 9, (12, 20)), (30, 30, 13, (8, 8)), (7, 31, 25, (24, 22))):
        image = Image.fromarray(image(3, width, height))
        short, long = min(width, height), max(width, height)
        other = int(side * long / short)
        size = (side, other) if width <= height else (other, side)
        resized = image if size == image.size else image.resize(size, Image.BICUBIC)
        name = f"processor-{width}x{height}-{side}"
        files[name + ".ppm"] = pnm(image)
        files[name + "-expected.ppm"] = pnm(center_crop(resized, crop))
        cases.append({"source": name + ".ppm", "expected": name + "-expected.ppm", "shortestSide": side,
                      "cropHeight": crop[0], "cropWidth": crop[1]})
    values = np.arange(256, dtype=np.float32) / np.float32(255)
    mean, std = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    # The bits of (x / 255 - mean) / std for every x and channel.
    table = ((values[None] - mean[:, None]) / std[:, None]).astype("<f4")
    files["normalised.f32"] = table.tobytes()
    return cases


# --- The generator


def splitmix(seed, epoch, index, view, count):
    mask, step = (1 << 64) - 1, 0x9E3779B97F4A7C15

    def mix(z):
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)

    state = mix((seed + step) & mask)
    for part in (epoch, index, view):
        state = mix(((state ^ (part & mask)) + step) & mask)
    values = []
    for _ in range(count):
        state = (state + step) & mask
        values.append(mix(state))
    return values


def make_random():
    cases = []
    for seed, epoch, index, view in ((0, 0, 0, 0), (1, 0, 0, 0), (42, 3, 17, 1), (2**64 - 1, 299, 1281166, 9), (7, 0, -1, 0)):
        cases.append({"seed": str(seed), "epoch": epoch, "index": index, "view": view,
                      "values": [str(v) for v in splitmix(seed, epoch, index, view, 4)]})
    return cases


def main():
    make_jpeg()
    make_png()
    make_webp()
    images = sorted(n for n in files if not n.endswith((".ppm", ".pgm")))
    index = {"images": images, "resizes": make_resize(), "processors": make_processor(), "random": make_random(),
             "orientations": make_orientations()}
    files["index.json"] = (json.dumps(index, indent=1) + "\n").encode()
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.iterdir():
        if old.is_file():
            old.unlink()
    for name, data in files.items():
        (OUT / name).write_bytes(data)
    versions = {"Pillow": PIL.__version__, "numpy": np.__version__,
                **{k: features.version(k) for k in ("libjpeg_turbo", "webp", "zlib")}}
    manifest = {"script": "Tools/parity/make_images.py", "versions": versions,
                "sha256": {n: hashlib.sha256(d).hexdigest() for n, d in sorted(files.items())}}
    (OUT / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    (OUT / "README.md").write_text(README.format(versions=", ".join(f"{k} {v}" for k, v in versions.items())))
    print(len(files), "files,", sum(map(len, files.values())), "bytes")


README = """# Fixtures of the image tests

Made by `Tools/parity/make_images.py` with {versions}. `manifest.json` has every file's SHA-256.

- `{{jpeg,png,webp}}-KIND.EXT`: tiny image files; beside each, `….ppm` is Pillow's `Image.open(f).convert("RGB")`
  and `….pgm` its `convert("L")`. No file shows anything: the samples are sines and noise.
- `turned-KIND.EXT`: files with an EXIF orientation; beside each, `….turned.ppm` is Pillow's `ImageOps.exif_transpose`.
- `processors/`: fingerprints of whole images, made by `Tools/parity/make_processors.py` and `make_crops.py`; see there.
- `augment/`: fingerprints after every operation of augmentation, timm's tables and the statistics of what it draws,
  and mixed batches, made by `Tools/parity/make_augment.py`; see there.
- `resize-SOURCE-FILTER-HxW`: Pillow's `Image.resize` of `resize-SOURCE`.
- `processor-…`: torchvision's `Resize(side)`, bicubic, and `CenterCrop`.
- `normalised.f32`: `(x / 255 - mean) / std` in float32 for x = 0 … 255 and ImageNet's three channels, little-endian.
- `index.json`: the cases, and the first numbers of some random streams.
"""

if __name__ == "__main__":
    main()
