"""The demo: a real Home Assistant and a simulated cloud talk to each other, and both sides are shown.

`scripts/demo` runs it. `house` and `home_assistant` are the home, `cloud` is the cloud, `flows` sets the integration up as
a user would, `acts` are the conversation and `transcript` prints it.
"""
