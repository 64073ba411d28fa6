"""The table of all actions.

To add one, write an `async def` that takes the Call and returns the fields of its answer, or raises ApiError, in the module
of its chapter, and give it a row here.
"""

from . import desired, devices, messages, queries, things, topology
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
    # Messages
    "Pub": messages.publish,
    "RRpc": messages.rrpc,
}
