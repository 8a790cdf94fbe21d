"""The wheel as somebody has it who cloned nothing."""
