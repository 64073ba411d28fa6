"""The table of all actions.

To add one, write an `async def` that takes the Call and returns the fields of its answer, or raises ApiError, in the module
of its chapter, and give it a row here.
"""

from . import config, desired, device_files, devices, jobs, messages, ota, queries, shadow, things, topology
from .call import Action

ACTIONS: dict[str, Action] = {
    # Devices, properties and services
    "DeleteDevice": things.delete,
    "DisableThing": things.disable,
    "EnableThing": things.enable,
    "QueryDeviceDetail": devices.query_detail,
    "GetDeviceStatus": things.get_status,
    "ResetThing": things.reset,
    "InvokeThingService": things.invoke_service,
    "SetDeviceProperty": things.set_properties,
    # Records
    "QueryDeviceDesiredProperty": queries.query_desired_properties,
    "QueryDeviceEventData": queries.query_events,
    "QueryDevicePropertyData": queries.query_property_history,
    "QueryDevicePropertyStatus": queries.query_property_status,
    "QueryDeviceServiceData": queries.query_service_calls,
    # Desired values
    "ClearDeviceDesiredProperty": desired.clear,
    "SetDeviceDesiredProperty": desired.set_desired,
    # Gateways
    "BatchAddThingTopo": topology.add,
    "GetGatewayBySubDevice": topology.get_gateway,
    "GetThingTopo": topology.get,
    "NotifyAddThingTopo": topology.notify_add,
    "RemoveThingTopo": topology.remove,
    # The shadow
    "GetDeviceShadow": shadow.get,
    "UpdateDeviceShadow": shadow.update,
    # Remote configuration and logs; these are in the platform's console only
    "PushThingConfig": config.push_config,
    "QueryDeviceLogs": config.query_logs,
    "SetDeviceLogConfig": config.set_log_config,
    "SetThingConfig": config.set_config,
    # Firmware
    "CancelOTATaskByJob": ota.cancel_tasks,
    "CreateOTAFirmware": ota.create_firmware,
    "CreateOTAStaticUpgradeJob": ota.create_upgrade,
    "ListOTATaskByJob": ota.list_tasks,
    "QueryOTAFirmware": ota.query_firmware,
    # Jobs
    "CancelJob": jobs.cancel,
    "CreateJob": jobs.create,
    "ListTask": jobs.list_tasks,
    "QueryTask": jobs.query_task,
    # Files of devices
    "DeleteDeviceFile": device_files.delete_file,
    "QueryDeviceFile": device_files.query_file,
    "QueryDeviceFileList": device_files.list_files,
    # Messages
    "NotifyBootstrap": messages.notify_bootstrap,
    "Pub": messages.publish,
    "PubBroadcast": messages.broadcast,
    "RRpc": messages.rrpc,
}
