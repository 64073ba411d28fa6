"""Lists of devices with secrets, as people have them."""

import json

import pytest

from custom_components.aliyun_iot.alink.auth import Identity
from custom_components.aliyun_iot.device_list import MAX_FILE, ListedDevice, ListError, ListFault, read_device_list
from custom_components.aliyun_iot.device_names import propose_names

PK = "a1Lamps0001"
OTHER = "a1Meter0001"
SECRETS = ["c0ffee00c0ffee00c0ffee00c0ffee01", "c0ffee00c0ffee00c0ffee00c0ffee02"]
TWO = [ListedDevice(Identity(PK, "lamp-1"), SECRETS[0]), ListedDevice(Identity(PK, "lamp-2"), SECRETS[1])]
CONSOLE = f"DeviceName,DeviceSecret,ProductKey\nlamp-1,{SECRETS[0]},{PK}\nlamp-2,{SECRETS[1]},{PK}\n"
CHINESE = f"备注名称\tProductKey\t设备名称\tDeviceSecret\n客厅灯\t{PK}\tlamp-1\t{SECRETS[0]}\n"


@pytest.mark.parametrize(
    "content",
    [
        CONSOLE,
        CONSOLE.replace("\n", "\r\n"),
        CONSOLE.encode(),
        CONSOLE.encode("utf-8-sig"),
        CONSOLE.encode("utf-16"),
        CONSOLE.replace(",", ";"),
        CONSOLE.replace(",", "，"),
        CONSOLE.replace(",", "；").encode("gbk"),
        CONSOLE.replace("\n", "\r"),
        "\n".join('"' + line.replace(",", '" , "') + '"' for line in CONSOLE.splitlines()),
        f"DeviceName,DeviceSecret,ProductKey,DeviceSecret\nlamp-1,{SECRETS[0]},{PK},\nlamp-2,,{PK},{SECRETS[1]}\n",
        f"产品密钥,DeviceName,DeviceSecret\npSecret0000,lamp-1,{SECRETS[0]}\npSecret0000,lamp-2,{SECRETS[1]}\n",
        f"{PK},lamp-1,{SECRETS[0]}\n\n{PK},lamp-2,{SECRETS[1]}",
        f"{PK} lamp-1 {SECRETS[0]}\n{PK}   lamp-2\t{SECRETS[1]}",
        f"lamp-1,{SECRETS[0]},{PK}\nlamp-2,{SECRETS[1]},{PK}",
        f"lamp-1,{SECRETS[0]}\nlamp-2,{SECRETS[1]}",
        json.dumps([{"productKey": PK, "deviceName": f"lamp-{n}", "deviceSecret": SECRETS[n - 1]} for n in (1, 2)]),
        json.dumps(
            {"Data": {"Devices": [{"DeviceName": f"lamp-{n}", "device_secret": SECRETS[n - 1]} for n in (1, 2)]}}
        ),
    ],
)
def test_list_is_read(content: str | bytes) -> None:
    """In every form that the console and people use."""
    assert read_device_list(content, {PK}) == TWO


def test_names_in_chinese() -> None:
    """Excel in Chinese saves GBK."""
    [lamp] = read_device_list(CHINESE.encode("gbk"), {PK, OTHER})
    assert (lamp.identity.device_name, lamp.nickname) == ("lamp-1", "客厅灯")


@pytest.mark.parametrize(
    ("content", "fault", "rows"),
    [
        (b"\xff\xff\x00\x01", ListFault.ENCODING, ()),
        ("", ListFault.EMPTY, ()),
        ("DeviceName,DeviceSecret,ProductKey\n", ListFault.EMPTY, ()),
        ("[1, 2", ListFault.UNREADABLE, ()),
        ("[1, 2]", ListFault.UNREADABLE, ()),
        ('{"a": [], "b": []}', ListFault.UNREADABLE, ()),
        (b"x" * (MAX_FILE + 1), ListFault.TOO_LARGE, ()),
        (f"{CONSOLE}x y,{SECRETS[0]},{PK}\n", ListFault.INVALID, ("4: device_name",)),
        (f"{CONSOLE}lamp-3,,{PK}\n", ListFault.NO_SECRET, ("lamp-3",)),
        (f'[{{"DeviceName": "lamp-3", "DeviceSecret": null, "ProductKey": "{PK}"}}]', ListFault.NO_SECRET, ("lamp-3",)),
        (f"lamp-1/{SECRETS[0]}/{PK}\n", ListFault.INVALID, ("1: device_name",)),
        (f"lamp-1:{SECRETS[0]}\n", ListFault.INVALID, ("1: device_name",)),
        (f'{CONSOLE}"lamp-3,{SECRETS[1]},{PK}\n', ListFault.INVALID, ("4: device_name",)),
        (f"DeviceName,DeviceSecret\n{SECRETS[0]},\n", ListFault.INVALID, ("2: device_secret",)),
        (f"{CONSOLE}lamp-1,{SECRETS[1]},{PK}\n", ListFault.DUPLICATES, ("lamp-1",)),
        (f"{CONSOLE}lamp-3,{SECRETS[1]},{OTHER}\n", ListFault.FOREIGN_PRODUCT, (OTHER,)),
        ("\n".join(f"{PK},lamp-{n},{SECRETS[0]}" for n in range(2001)), ListFault.TOO_MANY, ()),
    ],
)
def test_bad_list(content: str | bytes, fault: ListFault, rows: tuple[str, ...]) -> None:
    """Each has a fault of its own, which never has a secret in it."""
    with pytest.raises(ListError) as caught:
        read_device_list(content, {PK})
    assert (caught.value.fault, caught.value.rows) == (fault, rows)
    assert not any(secret in repr(caught.value) + repr(caught.value.rows) for secret in SECRETS)


def test_names_are_legal_unique_and_stable() -> None:
    """Chinese becomes pinyin; what has the same name gets an ending that depends on nothing else."""
    titles = {"device:1": "客厅灯", "device:2": "Lamp", "device:3": "Lamp", "device:4": "灯", "device:5": "🌡"}
    names = propose_names(titles)
    assert names["device:1"] == "ke-ting-deng"
    assert len(set(names.values())) == 5
    assert all(4 <= len(name) <= 32 for name in names.values())
    assert propose_names({**titles, "device:6": "Other lamp"}) == {**names, "device:6": "other-lamp"}
    assert propose_names({"device:7": "客厅灯"}, {"ke-ting-deng"})["device:7"] != "ke-ting-deng"
    assert len(propose_names({"device:8": "x" * 60})["device:8"]) == 32
