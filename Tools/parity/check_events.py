"""Reads a run's event file with TensorBoard's own reader and prints every number: check_events.py FOLDER.

With --probe instead of a folder it only says by its exit code whether TensorBoard is installed.
"""
import importlib.util
import sys

if sys.argv[1] == "--probe":
    sys.exit(0 if importlib.util.find_spec("tensorboard") else 3)

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: E402

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
for tag in sorted(events.Tags()["scalars"]):
    for event in events.Scalars(tag):
        print(tag, event.step, event.wall_time, round(event.value, 5))
