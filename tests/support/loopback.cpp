#include "tests/support/loopback.h"

