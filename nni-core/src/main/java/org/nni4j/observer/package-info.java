/** What range does the data have? Mergeable observers of fixed memory. */
@NullMarked
package org.nni4j.observer;

import org.jspecify.annotations.NullMarked;
