// A thread that does what it is given, one after the other. Its end waits for what was given before.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace foundry::realtime {

class SerialThread {
public:
    using Job = std::function<void()>;

    SerialThread();
    ~SerialThread();
    SerialThread(const SerialThread &) = delete;
    SerialThread &operator=(const SerialThread &) = delete;

    // Any thread.
    void post(Job job);

private:
    void run();

    std::mutex m_mutex;
    std::condition_variable m_given;
    std::deque<Job> m_jobs;
    bool m_ending = false;
    std::thread m_thread; // last: it uses the others
};

} // namespace foundry::realtime
