"""A recorded step as few launches on a GPU: see ``step.DeviceStep``."""
