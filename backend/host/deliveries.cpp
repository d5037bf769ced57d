#include "backend/host/deliveries.h"

namespace foundry::backend {

namespace {
constexpr qsizetype kHeldBytes = 64 * 1024 * 1024;
} // namespace

Deliveries::Deliveries(QObject *parent)
    : QObject(parent)
{
}

void Deliveries::event(const QList<ConnectionId> &connections, const QByteArray &frame)
{
    {
        const std::lock_guard lock(m_mutex);
        if (m_bytes + frame.size() <= kHeldBytes) {
            m_bytes += frame.size();
            pushLocked(Event{connections, frame});
            return;
        }
    }
    // The main thread does not get on: whoever misses an event catches up by revision.
    push(Close{connections, makeError(QLatin1StringView("actor"), QLatin1StringView("overloaded"),
        QStringLiteral("More happens than can be sent."), QStringLiteral("Connect again and catch up."))});
}

void Deliveries::close(const QList<ConnectionId> &connections, const Error &reason)
{
    push(Close{connections, reason});
}

void Deliveries::run(std::function<void()> onMainThread)
{
    push(std::move(onMainThread));
}

void Deliveries::push(Item item)
{
    const std::lock_guard lock(m_mutex);
    pushLocked(std::move(item));
}

void Deliveries::pushLocked(Item item)
{
    m_items.push_back(std::move(item));
    if (m_items.size() == 1)
        QMetaObject::invokeMethod(this, &Deliveries::flush, Qt::QueuedConnection);
}

void Deliveries::flush()
{
    std::vector<Item> items;
    {
        const std::lock_guard lock(m_mutex);
        items.swap(m_items);
        m_bytes = 0;
    }
    for (Item &item : items) {
        if (const auto *run = std::get_if<std::function<void()>>(&item))
            (*run)();
        else if (!m_receiver)
            continue;
        else if (const auto *event = std::get_if<Event>(&item))
            m_receiver->deliverEvent(event->connections, event->frame);
        else if (const auto *close = std::get_if<Close>(&item))
            m_receiver->closeConnections(close->connections, close->reason);
    }
}

} // namespace foundry::backend
