"""The demo: a conversation between a real Home Assistant and a simulated cloud, which shows both sides.

`scripts/demo` runs it. `house` and `home_assistant` are the home, `cloud` is the cloud, `flows` sets up the integration as a
user would, `steps` are the steps of the conversation and `transcript` prints it.
"""
