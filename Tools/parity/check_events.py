"""Reads a run's event file with TensorBoard's own reader and prints every number: check_events.py FOLDER."""
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: E402

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
for tag in sorted(events.Tags()["scalars"]):
    for event in events.Scalars(tag):
        print(tag, event.step, event.wall_time, round(event.value, 5))
