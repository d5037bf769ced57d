// Hands a topic's changes to the models in order and in slices, so that no turn of the event loop grows with the size
// of a snapshot. Small changes go through at once. GUI thread.
#pragma once

#include "models/types/topic.h"

#include <QObject>
#include <QQueue>
#include <QTimer>
#include <variant>

namespace foundry::realtime {

class Delivery : public QObject {
    Q_OBJECT

public:
    explicit Delivery(QObject *parent = nullptr);

    void deliver(const TopicEvent &event);
    // A first snapshot: its first slice is `snapshot`, the others are events.
    void firstSnapshot(ChangesPage page);
    void loadedMark();
    // Past the queue: a local placeholder belongs on screen in this very frame.
    void now(const TopicEvent &event) { Q_EMIT applied(event); }
    bool isEmpty() const { return m_queue.isEmpty(); }
    void clear() { m_queue.clear(); }

Q_SIGNALS:
    void applied(const foundry::TopicEvent &event);
    void replaced(const foundry::ChangesPage &page);
    void loaded();

private:
    struct Loaded { };
    using Item = std::variant<TopicEvent, ChangesPage, Loaded>;

    void push(Item item);
    void pump();

    QQueue<Item> m_queue;
    QTimer m_next;
    bool m_pumping = false;
};

} // namespace foundry::realtime
