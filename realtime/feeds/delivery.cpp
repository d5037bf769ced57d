#include "realtime/feeds/delivery.h"

#include <QElapsedTimer>

namespace foundry::realtime {

namespace {

// Rows handed over at once, and the time after which the event loop gets its turn. A slice of this many rows costs a
// model well below a millisecond.
constexpr qsizetype deliverySliceRows = 100;
constexpr qint64 deliveryTurnMs = 4;

} // namespace

Delivery::Delivery(QObject *parent)
    : QObject(parent)
{
    m_next.setSingleShot(true);
    m_next.setInterval(0);
    connect(&m_next, &QTimer::timeout, this, &Delivery::pump);
}

void Delivery::deliver(const TopicEvent &event)
{
    if (event.upserts.size() <= deliverySliceRows) {
        push(event);
        return;
    }
    for (qsizetype from = 0; from < event.upserts.size(); from += deliverySliceRows) {
        TopicEvent slice = event;
        slice.upserts = event.upserts.mid(from, deliverySliceRows);
        if (from > 0) {
            // What is not rows goes with the first slice.
            slice.removals.clear();
            slice.appends.clear();
            slice.chunk.reset();
            slice.ready.reset();
        }
        push(slice);
    }
}

void Delivery::firstSnapshot(ChangesPage page)
{
    TopicEvent rest;
    rest.generation = page.generation;
    rest.revision = page.revision;
    rest.upserts = page.upserts.mid(deliverySliceRows);
    page.upserts = page.upserts.first(std::min(deliverySliceRows, page.upserts.size()));
    push(page);
    if (!rest.upserts.isEmpty())
        deliver(rest);
}

void Delivery::loadedMark()
{
    push(Loaded{});
}

void Delivery::push(Item item)
{
    m_queue.append(std::move(item));
    if (!m_pumping && !m_next.isActive())
        pump();
}

void Delivery::pump()
{
    m_pumping = true;
    QElapsedTimer turn;
    turn.start();
    while (!m_queue.isEmpty()) {
        const Item item = m_queue.dequeue();
        if (const auto *event = std::get_if<TopicEvent>(&item))
            Q_EMIT applied(*event);
        else if (const auto *page = std::get_if<ChangesPage>(&item))
            Q_EMIT replaced(*page);
        else
            Q_EMIT loaded();
        if (turn.elapsed() >= deliveryTurnMs && !m_queue.isEmpty()) {
            m_next.start();
            break;
        }
    }
    m_pumping = false;
}

} // namespace foundry::realtime
