"""What starts loads and reports failures by itself: schedules, sensors, messages."""
