"""The Alink protocol of Alibaba Cloud IoT Platform as a pure asyncio library that does not know Home Assistant.

Start with `link.Link`, which keeps a connection alive, and its `device.Device`, which says what the cloud is to know.
"""
