from datetime import timedelta

import pytest

from promoter.adapters.engine.create_body import HANDLED_BY_OTHERS, create_body, demands, unplaceable
from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.secrets import handle
from promoter.pipeline.compose.build import Ulimit
from promoter.pipeline.compose.deploy import Deploy, Limits, Reservations, Resources, RestartPolicy
from promoter.pipeline.compose.host_resources import BlkioConfig, DeviceRequest, ThrottleDevice, WeightDevice
from promoter.pipeline.compose.service import Attachment, Device, Healthcheck, Logging, Mount, Port, Service
from promoter.promotion.ports.container import ContainerSpec, FileContent

IMAGE = ImageRef(Repository.parse("r.example.com/app"), Digest("a" * 64))
HOST = "HostConfig"
NETWORKS = {"one": Attachment(aliases=("web", "w"), ipv4_address="10.0.0.5"), "two": Attachment(mac_address="02:42:ac:11:00:02")}
BINDS = Mount(type="bind", source="/here", target="/there")
TPU = DeviceRequest(capabilities=("tpu",), device_ids=("0",))
LIMITS = Limits(cpus=1.5, memory=9, pids=7)

SENT = {
    "command": (("run", "it"), {"Cmd": ["run", "it"]}),
    "entrypoint": (("/e",), {"Entrypoint": ["/e"]}),
    "environment": ({"A": "1", "B": ""}, {"Env": ["A=1", "B="]}),
    "ports": (
        (
            Port(target=80, published=8080, host_ip="127.0.0.1"),
            Port(target=80, published=8081),
            Port(target=53, protocol="udp"),
        ),
        {
            "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
            HOST: {
                "PortBindings": {
                    "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}, {"HostIp": "", "HostPort": "8081"}],
                    "53/udp": [{"HostIp": "", "HostPort": ""}],
                }
            },
        },
    ),
    "expose": (("9000", "53/udp", "7-8"), {"ExposedPorts": {"9000/tcp": {}, "53/udp": {}, "7/tcp": {}, "8/tcp": {}}}),
    "volumes": (
        (
            BINDS,
            Mount(type="bind", source="/a", target="/b", read_only=True, propagation="rslave"),
            Mount(type="bind", source="/a", target="/z", read_only=True, selinux="z"),
            Mount(type="volume", source="data", target="/Z", selinux="Z"),
            Mount(type="bind", source="/must", target="/be", create_host_path=False),
            Mount(type="volume", source="data", target="/data", nocopy=True, subpath="sub"),
            Mount(type="tmpfs", target="/t", tmpfs_size=4096, tmpfs_mode=0o700),
        ),
        {
            HOST: {
                "Binds": ["/here:/there", "/a:/b:ro,rslave", "/a:/z:ro,z", "data:/Z:Z"],
                "Mounts": [
                    {"Type": "bind", "Source": "/must", "Target": "/be"},
                    {
                        "Type": "volume",
                        "Source": "data",
                        "Target": "/data",
                        "VolumeOptions": {"NoCopy": True, "Subpath": "sub"},
                    },
                    {"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 4096, "Mode": 0o700}},
                ],
            }
        },
    ),
    "networks": (
        NETWORKS,
        {
            "NetworkingConfig": {
                "EndpointsConfig": {
                    "one": {"Aliases": ["web", "w"], "IPAMConfig": {"IPv4Address": "10.0.0.5"}},
                    "two": {"MacAddress": "02:42:ac:11:00:02"},
                }
            },
            HOST: {"NetworkMode": "one"},
        },
    ),
    "mac_address": ("02:42:ac:11:00:03", {"MacAddress": "02:42:ac:11:00:03"}),
    "network_mode": ("host", {HOST: {"NetworkMode": "host"}}),
    "healthcheck": (
        Healthcheck(
            test=("CMD", "probe"),
            interval=timedelta(seconds=2),
            timeout=timedelta(milliseconds=1500),
            retries=4,
            start_period=timedelta(minutes=1),
            start_interval=timedelta(milliseconds=100),
        ),
        {
            "Healthcheck": {
                "Test": ["CMD", "probe"],
                "Interval": 2_000_000_000,
                "Timeout": 1_500_000_000,
                "Retries": 4,
                "StartPeriod": 60_000_000_000,
                "StartInterval": 100_000_000,
            }
        },
    ),
    "restart": ("on-failure:3", {HOST: {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}}}),
    "user": ("1:2", {"User": "1:2"}),
    "group_add": (("g",), {HOST: {"GroupAdd": ["g"]}}),
    "working_dir": ("/w", {"WorkingDir": "/w"}),
    "hostname": ("h", {"Hostname": "h"}),
    "domainname": ("d", {"Domainname": "d"}),
    "init": (True, {HOST: {"Init": True}}),
    "labels": ({"a": "b", "ours": "theirs"}, {"Labels": {"a": "b", "ours": "ours"}}),
    "annotations": ({"a": "b"}, {HOST: {"Annotations": {"a": "b"}}}),
    "cap_add": (("NET_ADMIN",), {HOST: {"CapAdd": ["NET_ADMIN"]}}),
    "cap_drop": (("ALL",), {HOST: {"CapDrop": ["ALL"]}}),
    "privileged": (True, {HOST: {"Privileged": True}}),
    "read_only": (True, {HOST: {"ReadonlyRootfs": True}}),
    "tmpfs": (("/a", "/b:size=1m,mode=700"), {HOST: {"Tmpfs": {"/a": "", "/b": "size=1m,mode=700"}}}),
    "ulimits": ({"nofile": Ulimit(soft=1, hard=2)}, {HOST: {"Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}]}}),
    "sysctls": ({"net.core.somaxconn": "9"}, {HOST: {"Sysctls": {"net.core.somaxconn": "9"}}}),
    "shm_size": (5, {HOST: {"ShmSize": 5}}),
    "security_opt": (("no-new-privileges:true", "seccomp=x"), {HOST: {"SecurityOpt": ["no-new-privileges=true", "seccomp=x"]}}),
    "devices": (
        (Device(source="/dev/a", target="/dev/b", permissions="r"),),
        {HOST: {"Devices": [{"PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "r"}]}},
    ),
    "device_cgroup_rules": (("c 1:3 mr",), {HOST: {"DeviceCgroupRules": ["c 1:3 mr"]}}),
    "gpus": (
        (DeviceRequest(), DeviceRequest(driver="nvidia", count=2, capabilities=("gpu", "x"), options={"a": "b"})),
        {
            HOST: {
                "DeviceRequests": [
                    {"Driver": "", "Count": -1, "DeviceIDs": [], "Capabilities": [["gpu"]], "Options": {}},
                    {"Driver": "nvidia", "Count": 2, "DeviceIDs": [], "Capabilities": [["gpu", "x"]], "Options": {"a": "b"}},
                ]
            }
        },
    ),
    "storage_opt": ({"size": "1G"}, {HOST: {"StorageOpt": {"size": "1G"}}}),
    "userns_mode": ("host", {HOST: {"UsernsMode": "host"}}),
    "volumes_from": (("shop-dev-data:ro",), {HOST: {"VolumesFrom": ["shop-dev-data:ro"]}}),
    "extra_hosts": (
        {"host": ("host-gateway",), "db": ("10.0.0.1", "::1")},
        {HOST: {"ExtraHosts": ["host:host-gateway", "db:10.0.0.1", "db:::1"]}},
    ),
    "dns": (("1.1.1.1",), {HOST: {"Dns": ["1.1.1.1"]}}),
    "dns_search": (("example.com",), {HOST: {"DnsSearch": ["example.com"]}}),
    "dns_opt": (("ndots:1",), {HOST: {"DnsOptions": ["ndots:1"]}}),
    "logging": (
        Logging(driver="local", options={"max-size": "1m"}),
        {HOST: {"LogConfig": {"Type": "local", "Config": {"max-size": "1m"}}}},
    ),
    "stop_signal": ("SIGINT", {"StopSignal": "SIGINT"}),
    "stop_grace_period": (timedelta(milliseconds=1200), {"StopTimeout": 2}),
    "mem_limit": (10, {HOST: {"Memory": 10}}),
    "mem_reservation": (10, {HOST: {"MemoryReservation": 10}}),
    "memswap_limit": (-1, {HOST: {"MemorySwap": -1}}),
    "cpus": (0.25, {HOST: {"NanoCpus": 250_000_000}}),
    "cpu_shares": (5, {HOST: {"CpuShares": 5}}),
    "cpuset": ("0-1", {HOST: {"CpusetCpus": "0-1"}}),
    "pids_limit": (5, {HOST: {"PidsLimit": 5}}),
    "cpu_period": (50_000, {HOST: {"CpuPeriod": 50_000}}),
    "cpu_quota": (25_000, {HOST: {"CpuQuota": 25_000}}),
    "cpu_rt_period": (1_000_000, {HOST: {"CpuRealtimePeriod": 1_000_000}}),
    "cpu_rt_runtime": (950_000, {HOST: {"CpuRealtimeRuntime": 950_000}}),
    "oom_kill_disable": (True, {HOST: {"OomKillDisable": True}}),
    "mem_swappiness": (0, {HOST: {"MemorySwappiness": 0}}),
    "cgroup_parent": ("m-shop", {HOST: {"CgroupParent": "m-shop"}}),
    "blkio_config": (
        BlkioConfig(
            weight=300,
            weight_device=(WeightDevice(path="/dev/sda", weight=400),),
            device_read_bps=(ThrottleDevice(path="/dev/sda", rate=1),),
            device_write_bps=(ThrottleDevice(path="/dev/sda", rate=2),),
            device_read_iops=(ThrottleDevice(path="/dev/sda", rate=3),),
            device_write_iops=(ThrottleDevice(path="/dev/sda", rate=4),),
        ),
        {
            HOST: {
                "BlkioWeight": 300,
                "BlkioWeightDevice": [{"Path": "/dev/sda", "Weight": 400}],
                "BlkioDeviceReadBps": [{"Path": "/dev/sda", "Rate": 1}],
                "BlkioDeviceWriteBps": [{"Path": "/dev/sda", "Rate": 2}],
                "BlkioDeviceReadIOps": [{"Path": "/dev/sda", "Rate": 3}],
                "BlkioDeviceWriteIOps": [{"Path": "/dev/sda", "Rate": 4}],
            }
        },
    ),
    "oom_score_adj": (-5, {HOST: {"OomScoreAdj": -5}}),
    "pid": ("host", {HOST: {"PidMode": "host"}}),
    "ipc": ("host", {HOST: {"IpcMode": "host"}}),
    "uts": ("host", {HOST: {"UTSMode": "host"}}),
    "cgroup": ("host", {HOST: {"CgroupnsMode": "host"}}),
    "runtime": ("runsc", {HOST: {"Runtime": "runsc"}}),
    "tty": (True, {"Tty": True}),
    "stdin_open": (True, {"OpenStdin": True}),
    "deploy": (
        Deploy(
            resources=Resources(limits=LIMITS, reservations=Reservations(memory=3, devices=(TPU,))),
            restart_policy=RestartPolicy(condition="unless-stopped"),
        ),
        {
            HOST: {
                "NanoCpus": 1_500_000_000,
                "Memory": 9,
                "PidsLimit": 7,
                "MemoryReservation": 3,
                "DeviceRequests": [
                    {"Driver": "", "Count": 0, "DeviceIDs": ["0"], "Capabilities": [["tpu"]], "Options": {}},
                ],
                "RestartPolicy": {"Name": "unless-stopped"},
            }
        },
    ),
}
BARE = {"Image": str(IMAGE), "Labels": {"ours": "ours"}, HOST: {}}


def spec(service, **options):
    return ContainerSpec("name", IMAGE, service, {"ours": "ours"}, **options)


def body(service, **options):
    return create_body(spec(service, **options), lambda text: text)


def test_every_field_of_a_service_is_sent_or_handled_by_other_code():
    assert set(SENT) | set(HANDLED_BY_OTHERS) == set(Service.model_fields)
    assert not set(SENT) & set(HANDLED_BY_OTHERS)


@pytest.mark.parametrize("name", SENT)
def test_a_field_reaches_the_engine(name):
    value, expected = SENT[name]
    wanted = {**BARE, **expected, HOST: {**BARE[HOST], **expected.get(HOST, {})}}
    assert body(Service(**{name: value})) == wanted


def test_an_empty_service_sends_no_optional_fields():
    assert body(Service()) == BARE


@pytest.mark.parametrize("check", [Healthcheck(disable=True), Healthcheck(test=("NONE",), retries=3)])
def test_a_healthcheck_can_be_switched_off(check):
    assert body(Service(healthcheck=check))["Healthcheck"] == {"Test": ["NONE"]}


def test_only_the_timing_of_the_images_own_check_can_change():
    assert body(Service(healthcheck=Healthcheck(retries=9)))["Healthcheck"] == {"Retries": 9}


def test_publish_off_leaves_host_ports_alone():
    made = body(Service(ports=(Port(target=80, published=80),)), publish=False)
    assert "PortBindings" not in made[HOST] and made["ExposedPorts"] == {"80/tcp": {}}


def test_ephemeral_ports_are_of_the_engines_choice_on_loopback():
    service = Service(ports=(Port(target=80, published=80), Port(target=53, published=53, protocol="udp")), expose=("9",))
    bindings = body(service, ephemeral_ports=True, publish=False)[HOST]["PortBindings"]
    assert bindings == {port: [{"HostIp": "127.0.0.1", "HostPort": ""}] for port in ("80/tcp", "9/tcp")}


def test_links_to_other_containers_are_names_on_every_network():
    made = body(Service(networks=NETWORKS, external_links=("redis", "db_1:mysql")))
    endpoints = made["NetworkingConfig"]["EndpointsConfig"]
    assert [endpoints[name]["Links"] for name in ("one", "two")] == [["redis:redis", "db_1:mysql"]] * 2


def test_an_attachment_has_all_of_its_keys():
    attachment = Attachment(link_local_ips=("169.254.1.5",), driver_opts={"a": "b"}, gw_priority=7, interface_name="eth9")
    made = body(Service(networks={"one": attachment}))["NetworkingConfig"]["EndpointsConfig"]["one"]
    options = {"a": "b", "com.docker.network.endpoint.ifname": "eth9"}
    assert made == {"IPAMConfig": {"LinkLocalIPs": ["169.254.1.5"]}, "DriverOpts": options, "GwPriority": 7}


@pytest.mark.parametrize(
    ("recursive", "option"),
    [("disabled", "NonRecursive"), ("writable", "ReadOnlyNonRecursive"), ("readonly", "ReadOnlyForceRecursive")],
)
def test_a_bind_has_an_option_for_mounts_below_it(recursive, option):
    mount = Mount(type="bind", source="/a", target="/b", recursive=recursive)
    [made] = body(Service(volumes=(mount,)))[HOST]["Mounts"]
    assert made["BindOptions"] == {"CreateMountpoint": True, option: True}


def test_labels_of_a_mounted_volume_reach_the_engine():
    mount = Mount(type="volume", source="data", target="/b", labels={"a": "b"})
    [made] = body(Service(volumes=(mount,)))[HOST]["Mounts"]
    assert made["VolumeOptions"] == {"Labels": {"a": "b"}}


def test_the_first_network_only_for_engines_that_take_one():
    made = create_body(spec(Service(networks=NETWORKS)), str, every_network=False)
    assert list(made["NetworkingConfig"]["EndpointsConfig"]) == ["one"]


def test_the_mac_address_of_the_first_network_is_also_sent_in_the_old_field():
    assert body(Service(networks={"one": NETWORKS["two"]}))["MacAddress"] == "02:42:ac:11:00:02"


def test_a_bind_with_a_colon_is_not_cut_at_it():
    mount = Mount(type="bind", source="/a:b", target="/c")
    assert body(Service(volumes=(mount,)))[HOST]["Mounts"][0]["Source"] == "/a:b"


def test_secret_handles_are_replaced_in_every_field():
    def reveal(text):
        return text.replace(handle("x"), "SECRET")

    service = Service(
        environment={"A": f"<{handle('x')}>"}, command=(handle("x"),), logging=Logging(options={"token": handle("x")})
    )
    made = create_body(spec(service), reveal)
    assert made["Env"] == ["A=<SECRET>"] and made["Cmd"] == ["SECRET"]
    assert made[HOST]["LogConfig"]["Config"] == {"token": "SECRET"}


@pytest.mark.parametrize(
    ("service", "api"),
    [
        (Service(annotations={"a": "b"}), (1, 43)),
        (Service(volumes=(Mount(type="volume", source="v", target="/v", subpath="s"),)), (1, 45)),
        (Service(networks=NETWORKS), (1, 44)),
        (Service(volumes=(Mount(type="bind", source="/v", target="/v", recursive="readonly"),)), (1, 44)),
        (Service(networks={"one": Attachment(gw_priority=1)}), (1, 48)),
        (Service(networks={"one": Attachment(interface_name="eth9")}), (1, 49)),
    ],
)
def test_what_an_old_engine_would_ignore_is_refused(service, api):
    assert demands(spec(service), api) is None
    assert "Docker Engine 2" in demands(spec(service), (api[0], api[1] - 1))


@pytest.mark.parametrize(
    ("service", "placeable"),
    [
        (Service(), True),
        (Service(read_only=True), False),
        (Service(tmpfs=("/run:size=1m",)), False),
        (Service(volumes=(Mount(type="tmpfs", target="/run/secrets"),)), False),
        (Service(tmpfs=("/ru",)), True),
    ],
)
def test_files_need_a_permanent_directory(service, placeable):
    files = (FileContent("/run/secrets/x", "y"),)
    assert (unplaceable(spec(service, files=files)) is None) is placeable
    assert unplaceable(spec(service)) is None
