# ruff: noqa: E501 (the specification's keys in blocks)
"""Every key of the Compose Specification is supported, left out with a remark or refused by name; none is unknown, none is both."""

import pytest
from pydantic import ValidationError

from promoter.config.spec_errors import Fault, faults_of, without
from promoter.pipeline.compose.build import Build
from promoter.pipeline.compose.definitions import ConfigForm, NetworkForm, SecretForm, VolumeForm, Written
from promoter.pipeline.compose.deploy import Deploy, Reservations
from promoter.pipeline.compose.mounts import BindOptions, LongMount, VolumeOptions
from promoter.pipeline.compose.service import Attachment
from promoter.pipeline.compose.unsupported import dropped_keys, keys

SPECIFICATION = {
    Written: "annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs container_name cpu_count cpu_percent cpu_period cpu_quota"
    " cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset credential_spec depends_on deploy develop device_cgroup_rules devices dns dns_opt dns_search domainname"
    " entrypoint env_file environment expose extends external_links extra_hosts gpus group_add healthcheck hostname image init ipc isolation label_file labels links"
    " logging mac_address mem_limit mem_reservation mem_swappiness memswap_limit models network_mode networks oom_kill_disable oom_score_adj pid pids_limit platform"
    " ports post_start pre_stop privileged profiles provider pull_policy read_only restart runtime scale secrets security_opt shm_size stdin_open stop_grace_period"
    " stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket user userns_mode uts volumes volumes_from working_dir",
    Build: "additional_contexts args cache_from cache_to context dockerfile dockerfile_inline entitlements extra_hosts isolation labels network no_cache no_cache_filter platforms"
    " privileged provenance pull sbom secrets shm_size ssh tags target ulimits",
    Deploy: "endpoint_mode labels mode placement replicas resources restart_policy rollback_config update_config",
    Reservations: "cpus memory pids devices generic_resources",
    LongMount: "type source target read_only consistency bind volume tmpfs image",
    BindOptions: "propagation create_host_path selinux recursive",
    VolumeOptions: "nocopy subpath labels",
    Attachment: "aliases ipv4_address ipv6_address mac_address link_local_ips priority gw_priority interface_name driver_opts",
    NetworkForm: "attachable driver driver_opts enable_ipv4 enable_ipv6 external internal ipam labels name",
    VolumeForm: "driver driver_opts external labels name",
    ConfigForm: "content environment external file labels name template_driver",
    SecretForm: "environment external file labels name driver driver_opts template_driver",
}
OURS = {Written: {"protected", "steady", "trial"}, SecretForm: {"env", "command"}, VolumeForm: {"exclusive"}}


@pytest.mark.parametrize("shape", SPECIFICATION, ids=lambda shape: shape.__name__)
def test_every_key_is_supported_or_refused(shape):
    supported, refused, specified = set(shape.model_fields), set(keys(shape.__name__)), set(SPECIFICATION[shape].split())
    left_out = set(dropped_keys(shape.__name__))
    assert supported | refused | left_out >= specified
    assert not supported & refused and not supported & left_out and not refused & left_out
    assert supported - specified == OURS.get(shape, set())


@pytest.mark.parametrize(("shape", "key"), [(shape, key) for shape in SPECIFICATION for key in keys(shape.__name__)])
def test_a_refused_key_is_named_with_a_reason_and_a_way_out(shape, key):
    with pytest.raises(ValidationError) as caught:
        shape.model_validate({key: "x"})
    [fault] = [f for f in faults_of(caught.value, shape) if f.at == (key,)]
    assert fault.message.startswith(f"`{key}` is not supported: ")
    assert fault.hint and fault.on_key


@pytest.mark.parametrize(("shape", "key"), [(shape, key) for shape in SPECIFICATION for key in dropped_keys(shape.__name__)])
def test_a_key_that_is_left_out_is_named_with_the_reason(shape, key):
    with pytest.raises(ValidationError) as caught:
        shape.model_validate({key: "x"})
    [fault] = [f for f in faults_of(caught.value, shape) if f.at == (key,)]
    assert fault.message.startswith(f"`{key}` is left out: ")
    assert fault.dropped and fault.on_key


def test_what_is_left_out_is_taken_away_and_the_rest_stays():
    value = {"a": [{"x": 1, "y": 2}, "b:/c:cached"], "d": 1}
    assert without(value, [Fault(("a", 0, "x"), "", dropped=True), Fault(("a", 1), "", dropped=True, instead="b:/c")]) == {
        "a": [{"y": 2}, "b:/c"],
        "d": 1,
    }
    assert value["a"] == [{"x": 1, "y": 2}, "b:/c:cached"]
