"""The peer of run-dicom-bench.ts: read, hash, window with pydicom, letterbox to 224 with Pillow, in as many processes as cores."""
import hashlib
import io
import os
import sys
import time
from multiprocessing import Pool

import numpy as np
import PIL
import pydicom
from PIL import Image

try:
    from pydicom.pixels import apply_voi_lut
except ImportError:
    from pydicom.pixel_data_handlers.util import apply_voi_lut

MEAN = np.array([103.939, 116.779, 123.68], dtype=np.float32)


def prepare(path):
    start = time.process_time()
    with open(path, "rb") as file:
        content = file.read()
    hashlib.sha256(content).hexdigest()
    data_set = pydicom.dcmread(io.BytesIO(content))
    values = apply_voi_lut(data_set.pixel_array, data_set)
    grey = np.clip(np.floor(values * (255.0 / 4095.0) + 0.5), 0, 255).astype(np.uint8)
    if data_set.PhotometricInterpretation == "MONOCHROME1":
        grey = 255 - grey
    small = Image.fromarray(grey).convert("RGB").resize((224, 224), Image.BILINEAR)
    mean = float((np.asarray(small, dtype=np.float32)[:, :, ::-1] - MEAN).mean())
    return mean, time.process_time() - start


if __name__ == "__main__":
    folder, count, processes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    files = sorted(os.path.join(folder, name) for name in os.listdir(folder))
    todo = [files[i % len(files)] for i in range(count)]
    with Pool(processes) as pool:
        pool.map(prepare, files)
        start = time.perf_counter()
        results = pool.map(prepare, todo, chunksize=4)
        seconds = time.perf_counter() - start
    mean = sum(value for value, _ in results) / count
    cpu = 1000 * sum(spent for _, spent in results) / count
    print(
        f"pydicom {pydicom.__version__} + Pillow {PIL.__version__}, {processes} processes: {cpu:.0f} ms of processor time, "
        f"{count / seconds:.1f} images/s, mean {mean:.3f}"
    )
