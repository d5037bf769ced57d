#include "realtime/cache/serialthread.h"

namespace foundry::realtime {

SerialThread::SerialThread()
    : m_thread([this] { run(); })
{
}

SerialThread::~SerialThread()
{
    {
        const std::lock_guard lock(m_mutex);
        m_ending = true;
    }
    m_given.notify_one();
    m_thread.join();
}

void SerialThread::post(Job job)
{
    {
        const std::lock_guard lock(m_mutex);
        m_jobs.push_back(std::move(job));
    }
    m_given.notify_one();
}

void SerialThread::run()
{
    for (;;) {
        Job job;
        {
            std::unique_lock lock(m_mutex);
            m_given.wait(lock, [this] { return m_ending || !m_jobs.empty(); });
            if (m_jobs.empty())
                return;
            job = std::move(m_jobs.front());
            m_jobs.pop_front();
        }
        job();
    }
}

} // namespace foundry::realtime
