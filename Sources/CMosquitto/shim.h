// poyang
// SPDX-License-Identifier: Apache-2.0

#pragma once
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <sys/eventfd.h>

/// A wake-up for a thread that waits in poll: Swift's Glibc module does not show eventfd.
static inline int poyang_wake_descriptor(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }
