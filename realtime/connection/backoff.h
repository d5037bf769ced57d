// How long to wait before the next attempt: 250 ms, doubled up to 30 s, with jitter so that many clients do not come
// back in one wave. For ever: there is no last attempt. Any thread.
#pragma once

#include <chrono>
#include <functional>

namespace foundry::realtime {

class Backoff {
public:
    using Random = std::function<double()>; // [0, 1)

    explicit Backoff(std::chrono::milliseconds first = std::chrono::milliseconds(250),
        std::chrono::milliseconds last = std::chrono::seconds(30), Random random = {});

    // Between half and the whole of the current step.
    std::chrono::milliseconds next();
    void reset() { m_failures = 0; }
    int failures() const { return m_failures; }

private:
    std::chrono::milliseconds m_first;
    std::chrono::milliseconds m_last;
    Random m_random;
    int m_failures = 0;
};

} // namespace foundry::realtime
