#include "backend/host/deliveries.h"

namespace foundry::backend {

Deliveries::Deliveries(QObject *parent)
    : QObject(parent)
{
}

void Deliveries::event(const QList<ConnectionId> &connections, const QByteArray &frame)
{
    push(Event{connections, frame});
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
