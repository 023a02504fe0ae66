//! Devices that hold arrays and run operations. MXNet calls them contexts.

use crate::error::Result;
use std::fmt;

/// The kind of a device. The numbers are MXNet's device types, which its files use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum DeviceKind {
    /// Main memory.
    Cpu = 1,
    /// A CUDA device.
    Gpu = 2,
    /// Main memory that a CUDA device can reach; ordinary memory without one.
    CpuPinned = 3,
    /// Main memory shared between processes.
    CpuShared = 5,
}

/// A device: its kind and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Device {
    /// The kind.
    pub kind: DeviceKind,
    /// The number among devices of its kind, from 0.
    pub id: i32,
}

impl Device {
    /// The CPU with number `id`. All numbers mean the same processor, as in MXNet.
    pub const fn cpu(id: i32) -> Device {
        Device { kind: DeviceKind::Cpu, id }
    }

    /// The device with MXNet's type number `kind`.
    pub fn from_code(kind: i32, id: i32) -> Result<Device> {
        let kind = match kind {
            1 => DeviceKind::Cpu,
            2 => DeviceKind::Gpu,
            3 => DeviceKind::CpuPinned,
            5 => DeviceKind::CpuShared,
            _ => crate::bail!(Device, "no kind of device has the code {kind}"),
        };
        if id < 0 {
            crate::bail!(Device, "device number must not be negative, got {id}");
        }
        Ok(Device { kind, id })
    }

    /// The device that MXNet's text `cpu(0)` or `gpu` names.
    pub fn parse(text: &str) -> Result<Device> {
        let bad = || crate::err!(Device, "unknown device '{text}': expected for instance cpu(0)");
        let (name, id) = match text.split_once('(') {
            Some((name, rest)) => {
                (name, rest.strip_suffix(')').and_then(|n| n.trim().parse().ok()).ok_or_else(bad)?)
            }
            None => (text, 0),
        };
        let kind = match name.trim() {
            "cpu" => 1,
            "gpu" => 2,
            "cpu_pinned" => 3,
            "cpu_shared" => 5,
            _ => return Err(bad()),
        };
        Device::from_code(kind, id)
    }

    /// Refuses devices on which this build cannot run anything.
    pub fn check_available(self) -> Result<()> {
        match self.kind {
            DeviceKind::Gpu => {
                Err(crate::err!(Device, "{self} cannot be used: this build of mxr has no CUDA kernels"))
            }
            _ => Ok(()),
        }
    }
}

impl Default for Device {
    fn default() -> Self {
        Device::cpu(0)
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            DeviceKind::Cpu => "cpu",
            DeviceKind::Gpu => "gpu",
            DeviceKind::CpuPinned => "cpu_pinned",
            DeviceKind::CpuShared => "cpu_shared",
        };
        write!(f, "{name}({})", self.id)
    }
}
