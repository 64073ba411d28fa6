"""What every chapter of the simulator builds on: devices, topics, thing models, the transcript, sending and faults."""
