// The real dashboard over its real models at 1600×1000, offscreen: what the rows about painting share.
#pragma once

#include "models/types/topic.h"

#include <functional>
#include <memory>

namespace foundry::bench {

class PaintRig {
public:
    // Loaded with this many sample tasks, shown and painted.
    explicit PaintRig(int tasks);
    ~PaintRig();

    void apply(const TopicEvent &event);
    // Called after each time the window was painted.
    void whenPainted(std::function<void()> then);

private:
    struct Parts;
    std::unique_ptr<Parts> m_parts;
};

} // namespace foundry::bench
