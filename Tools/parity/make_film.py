"""Makes a film to follow objects in: three shapes with a texture of their own cross a mottled ground; frames and masks.

    python Tools/parity/make_film.py FOLDER
    deit propagate CKPT FOLDER/frames --mask FOLDER/masks/00.png --truth FOLDER/masks --output OUT

It is no fixture; docs/attention.md tells the overlap that DeiT-Tiny reaches. Needs NumPy and Pillow.
"""
import os
import sys

import numpy as np
from PIL import Image

HEIGHT, WIDTH, FRAMES = 480, 854, 24


def main(folder):
    random = np.random.default_rng(0)
    mottles = Image.fromarray(random.uniform(30, 200, (60, 107, 3)).astype(np.uint8)).resize((WIDTH, HEIGHT), 3)
    ground = np.clip(np.asarray(mottles) * 0.6 + random.normal(0, 12, (HEIGHT, WIDTH, 1)) + 20, 0, 255)
    texture = random.uniform(-35, 35, (24, 24))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    for part in ("frames", "masks"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    for t in range(FRAMES):
        frame, mask = ground.copy(), np.zeros((HEIGHT, WIDTH), np.uint8)
        disc_y, disc_x = int(150 + 60 * np.sin(t / 6)), 130 + 22 * t
        disc = (rows - disc_y) ** 2 + (columns - disc_x) ** 2 < 80**2
        square_y, square_x = 330 - 3 * t, 640 - 16 * t
        square = (abs(rows - square_y) < 70) & (abs(columns - square_x) < 70)
        turn, triangle_y, triangle_x = t * 0.06, 360, 250 + 8 * t
        u = (columns - triangle_x) * np.cos(turn) + (rows - triangle_y) * np.sin(turn)
        v = -(columns - triangle_x) * np.sin(turn) + (rows - triangle_y) * np.cos(turn)
        triangle = (v < 60) & (v > -70) & (abs(u) < (v + 70) * 0.6)
        shapes = [(triangle, (60, 190, 70), triangle_y, triangle_x), (square, (50, 70, 220), square_y, square_x),
                  (disc, (220, 50, 45), disc_y, disc_x)]
        for label, (shape, color, y, x) in enumerate(shapes, 1):
            own = texture[((rows - y) // 9) % 24, ((columns - x) // 9) % 24]
            for channel in range(3):
                frame[..., channel] = np.where(shape, np.clip(color[channel] + own, 0, 255), frame[..., channel])
            mask[shape] = label
        Image.fromarray(frame.astype(np.uint8)).save(os.path.join(folder, "frames", f"{t:02d}.jpg"), quality=92)
        image = Image.fromarray(mask)
        image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0] + [0] * 756)
        image.save(os.path.join(folder, "masks", f"{t:02d}.png"))


main(sys.argv[1])
