"""The table of all actions.

To add one, write an `async def` that takes the Call and returns the fields of its answer, or raises ApiError, in the module
of its chapter, and give it a row here.
"""

from . import (
    config,
    desired,
    device_files,
    devices,
    jobs,
    messages,
    ota,
    products,
    queries,
    registration,
    shadow,
    thing_models,
    things,
    topology,
)
from .call import Action

ACTIONS: dict[str, Action] = {
    # Products
    "CancelReleaseProduct": products.cancel_release,
    "CreateProduct": products.create,
    "DeleteProduct": products.delete,
    "QueryProduct": products.query,
    "QueryProductList": products.query_list,
    "ReleaseProduct": products.release,
    "UpdateProduct": products.update,
    # Thing models
    "CreateThingModel": thing_models.create,
    "DeleteThingModel": thing_models.delete,
    "GetThingModelTsl": thing_models.get_tsl,
    "GetThingModelTslPublished": thing_models.get_tsl_published,
    "ImportThingModelTsl": thing_models.import_tsl,
    "ListThingModelVersion": thing_models.list_versions,
    "PublishThingModel": thing_models.publish_model,
    "QueryThingModel": thing_models.query,
    "QueryThingModelPublished": thing_models.query_published,
    "UpdateThingModel": thing_models.update,
    # Registration of devices
    "BatchCheckDeviceNames": registration.check_names,
    "BatchRegisterDevice": registration.register_count,
    "BatchRegisterDeviceWithApplyId": registration.register_application,
    "QueryBatchRegisterDeviceStatus": registration.query_status,
    "QueryPageByApplyId": registration.query_devices,
    "RegisterDevice": registration.register_device,
    # Devices, properties and services
    "DeleteDevice": things.delete,
    "DisableThing": things.disable,
    "EnableThing": things.enable,
    "BatchGetDeviceState": devices.query_states,
    "BatchQueryDeviceDetail": devices.query_details,
    "BatchUpdateDeviceNickname": devices.update_nicknames,
    "QueryDevice": devices.query_list,
    "QueryDeviceDetail": devices.query_detail,
    "GetDeviceStatus": things.get_status,
    "ResetThing": things.reset,
    "InvokeThingService": things.invoke_service,
    "InvokeThingsService": things.invoke_service_of_many,
    "SetDeviceProperty": things.set_properties,
    "SetDevicesProperty": things.set_properties_of_many,
    # Tags
    "DeleteDeviceProp": devices.delete_tag,
    "QueryDeviceProp": devices.query_tags,
    "SaveDeviceProp": devices.save_tags,
    # Records
    "QueryDeviceDesiredProperty": queries.query_desired_properties,
    "QueryDeviceEventData": queries.query_events,
    "QueryDevicePropertiesData": queries.query_properties_history,
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
