"""The Alink protocol of Alibaba Cloud IoT Platform as a pure asyncio library that does not know Home Assistant.

Start with `link.Link`, which keeps a connection, and `device.Device`, which sends and receives for one device of the cloud.
"""
